"""The dashboard on a stage's table and bucket: the same pages, and nothing but reads; no broker's key."""

import re
from pathlib import Path

import pytest

from alchemiser_cli.commands.dashboard import source_of
from alchemiser_cli.context import CommandContext
from alchemiser_cli.dashboard.pages.whole import whole
from alchemiser_cli.stored_runs import list_runs
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.aws.s3_archive import S3Archive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ports.state import ABSENT, Put
from alchemiser_common.settings import Backend
from support.aws import Aws
from support.dashboards import dashboard
from support.traded_home import source, traded_home

PATHS = ("/", "/performance", "/performance.csv", "/runs", "/strategies", "/orders", "/parity", "/audit")


def on_aws(aws: Aws, home: Path, folder: Path) -> CommandContext:
    """A command's context on a table and a bucket that hold what the home does."""
    settings = aws.settings(table=aws.make_table(), bucket=aws.make_bucket())
    context = CommandContext(
        changes={"backend": Backend.AWS, "account_alias": "demo", "aws": settings.model_dump(mode="json")},
        folder=folder,
    )
    kept = SqliteStateStore.existing(home / ".alchemiser" / "state.db")
    for partition in kept.partitions(""):
        for record in kept.list(partition):
            context.state.write(Put(record.key, record.body, ABSENT))
    archive = home / ".alchemiser" / "archive"
    for file in archive.rglob("*.json"):
        context.archive.put(str(file.relative_to(archive)), file.read_bytes())
    return context


def without_place(page: str) -> str:
    """What differs by intent: the foot says where the records are."""
    return re.sub(r"<footer>.*?</footer>", "", page, flags=re.DOTALL)


def test_the_pages_are_those_of_the_home_and_only_read(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = traded_home(tmp_path, sessions=2)
    context = on_aws(aws, home, tmp_path)
    for adapter, method in ((DynamoStateStore, "write"), (S3Archive, "put"), (SqliteStateStore, "write")):
        monkeypatch.setattr(adapter, method, None)  # whoever calls it fails
    run = list_runs(context.state, "demo", limit=1)[0].run_id
    with dashboard(source(home)) as local, dashboard(source_of(context)) as stage:
        for path in (*PATHS, f"/runs/{run}", "/runs?before=2020-02-04", "/runs?q=tecl"):
            here, there = local.get(path), stage.get(path)
            assert (there.status, without_place(there.text)) == (here.status, without_place(here.text)), path
        assert "backend aws" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", stage.get("/settings").text))
    assert whole(source_of(context), {}).values["found"] is not None


def test_a_table_that_is_not_there_or_out_of_reach_is_a_page(aws: Aws, tmp_path: Path) -> None:
    def changed(**changes: object) -> CommandContext:
        settings = aws.settings(**{"table": "nowhere", "bucket": "nowhere", **changes}).model_dump(mode="json")
        return CommandContext(
            changes={"backend": Backend.AWS, "account_alias": "demo", "aws": settings}, folder=tmp_path
        )

    with dashboard(source_of(changed())) as running:
        for path in PATHS:
            answer = running.get(path)
            assert "table nowhere" in answer.text, path
            assert "Traceback" not in answer.text
    with dashboard(source_of(changed(endpoint_url="http://127.0.0.1:9"))) as running:
        answer = running.get("/")
        assert answer.status == 503
        assert "out of reach" in answer.text
