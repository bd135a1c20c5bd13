import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from images.settings import ROOT


@pytest.fixture(scope="module")
def prune() -> ModuleType:
    """The build step, from where a build takes it."""
    spec = importlib.util.spec_from_file_location("prune", ROOT / "deploy/image/prune.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KEPT = [
    "numpy/__init__.py",
    "numpy/testing/__init__.py",
    "pkg-1.0.dist-info/METADATA",
    "pkg-1.0.dist-info/licenses/LICENSE",
    "pkg-1.0.dist-info/entry_points.txt",
    "botocore/data/endpoints.json",
    "botocore/data/partitions.json",
    "botocore/data/sqs/2012-11-05/service-2.json.gz",
]
DROPPED = [
    "numpy/tests/test_it.py",
    "numpy/_core/include/numpy/arrayobject.h",
    "numpy/_core/include/numpy/__ufunc_api.c",
    "numpy/__init__.pyi",
    "numpy/f2py/main.py",
    "numpy/__pycache__/x.pyc",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "botocore/data/s3/2006-03-01/service-2.json.gz",
    "pkg-1.0.dist-info/RECORD",
    "bin/jp.py",
]


def test_what_no_start_reads_goes_and_the_rest_stays(prune: ModuleType, tmp_path: Path) -> None:
    for name in KEPT + DROPPED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    prune.prune(tmp_path, frozenset({"sqs"}))
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(KEPT)


def test_a_misspelt_aws_service_stops_the_build(prune: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "botocore/data/sqs").mkdir(parents=True)
    with pytest.raises(ValueError, match="AWS services unknown to botocore: dynamo, sqss"):
        prune.prune(tmp_path, frozenset({"sqs", "sqss", "dynamo"}))
