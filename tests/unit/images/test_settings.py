from pathlib import Path

import pytest

from images.errors import ImagesError
from images.settings import ROOT, load


def settings_folder(tmp_path: Path, *, local: str = "") -> Path:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/images.env").write_text("# names\nIMAGE_PREFIX=alchemiser\nPLATFORM=linux/amd64\n")
    if local:
        (tmp_path / "deploy/images.local.env").write_text(local)
    return tmp_path


def test_the_environment_wins_over_the_local_file_and_that_over_the_common_one(tmp_path: Path) -> None:
    folder = settings_folder(tmp_path, local="BASE_IMAGE=base:1\nPLATFORM=linux/arm64\n")
    read = load({"BASE_IMAGE": "base:2", "BUILD_FLAGS": "--cache-from 'type=gha,scope=a b'"}, folder)
    assert (read.prefix, read.platform, read.base_image) == ("alchemiser", "linux/arm64", "base:2")
    assert read.build_flags == ("--cache-from", "type=gha,scope=a b")


def test_the_committed_file_names_every_setting_and_no_registry() -> None:
    lines = (ROOT / "deploy/images.env").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert load(dict.fromkeys(names, "x")).registry == "x"
    assert "IMAGE_REGISTRY=" in lines, "a registry belongs to whoever deploys, not into the repository"


def test_a_line_that_sets_nothing_known_is_refused_by_name(tmp_path: Path) -> None:
    folder = settings_folder(tmp_path, local="\nBASE_IMGAE=base:1\n")
    with pytest.raises(ImagesError, match=r"images\.local\.env, line 2: 'BASE_IMGAE' is none of IMAGE_REGISTRY"):
        load({}, folder)


def test_names_carry_registry_and_prefix_and_only_known_services(tmp_path: Path) -> None:
    read = load({"IMAGE_REGISTRY": "127.0.0.1:5000/"}, settings_folder(tmp_path))
    assert read.registry_name("data") == "127.0.0.1:5000/alchemiser/data"
    with pytest.raises(ImagesError, match="service 'stragety' is none of monolith, data, strategy, trading"):
        read.local_name("stragety")
    with pytest.raises(ImagesError, match="no registry is set: give IMAGE_REGISTRY"):
        load({}, tmp_path).registry_name("data")
