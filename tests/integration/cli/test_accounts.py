"""Which account a command acts on: the one that its home has, or none; and one account has one name."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.simulated import open_market
from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ids import Pipeline, Side, client_order_id, cycle_id, run_id
from alchemiser_common.ports.state import ABSENT, Put, put
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.run import RunEntry
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Environment
from alchemiser_simulator import SimulatorConfig, SimulatorServer
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.account.trading_state import set_trading_state, trading_state
from support.command import Result, alchemiser

KEY = {"APCA_API_KEY_ID": "PKQ7ZL2M9X4C6V8B1N3D", "APCA_API_SECRET_KEY": "hush-hush-hush-hush"}
NOW = datetime(2026, 11, 2, 14, 45, tzinfo=UTC)

type Command = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in the test's folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **extra: alchemiser(tmp_path, *arguments, extra=extra)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStateStore:
    return SqliteStateStore(tmp_path / ".alchemiser" / "state.db")


@pytest.fixture
def paper() -> Iterator[dict[str, str]]:
    """A broker that stands for the paper account; its market has no session at this machine's time."""
    market = open_market(None)
    start = market.sessions_from(market.default_start, 1)[0].opens
    with SimulatorServer(SimulatorConfig(history=market.history, start=start)) as server:
        yield KEY | {"ALCHEMISER_BROKER__TRADING_URL": server.url, "ALCHEMISER_BROKER__DATA_URL": server.url}


def known(store: SqliteStateStore, *aliases: str) -> None:
    for alias in aliases:
        set_authority(store, alias, Pipeline.MODULAR, who="test", reason="a start", now=NOW)


def traded(store: SqliteStateStore, alias: str, environment: Environment) -> None:
    """The alias has a run with an order of that environment."""
    cycle = cycle_id(alias, NOW)
    run = run_id(cycle, Pipeline.MODULAR)
    order = client_order_id(environment=environment.value, run=run, symbol="SPY", side=Side.BUY, leg=1, step=1)
    intent = Intent(
        client_order_id=order,
        leg=1,
        step=1,
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal(1),
        limit_price=Decimal(100),
        cost_price=Decimal(100),
        leg_quantity=Decimal(1),
        arrival_mid=None,
        leg_started_at=NOW,
        authority_epoch=1,
        lease_epoch=1,
        written_at=NOW,
    )
    entry = RunEntry(run_id=run, cycle_id=cycle)
    store.write(
        put(keys.run_entry(alias, NOW, Pipeline.MODULAR), entry, ABSENT),
        put(keys.intent_record(run, 1, 1), intent, ABSENT),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "halt --reason a-drill",
        "reduce --reason a-drill",
        "resume --reason a-drill",
        "halt --account demo --reason a-drill",
        "runs",
        "show",
        "executions",
        "explain",
        "replay",
        "parity",
        "authority",
        "authority --set monolith --reason a-drill",
        "audit",
        "reconcile",
        "reconcile --repair --reason a-drill",
        "account show",
        "account adopt demo --reason a-drill --yes",
    ],
)
def test_where_nothing_was_run_nothing_is_made_and_the_home_is_named(
    run: Command, tmp_path: Path, arguments: str
) -> None:
    result = run(*arguments.split())
    assert result.code == 2, result.out
    assert f"home {tmp_path / '.alchemiser'}, environment simulated, account demo" in result.err
    assert "nothing was ever run in home" in result.err
    assert list(tmp_path.iterdir()) == []


def test_authority_over_a_live_account_is_given_before_its_first_run(run: Command, tmp_path: Path) -> None:
    given = run("authority", "--set", "monolith", "--reason", "begin", ALCHEMISER_ENVIRONMENT="live")
    assert (given.code, "account live is traded by monolith" in given.out) == (0, True), given.err
    assert (tmp_path / ".alchemiser" / "state.db").is_file()


def test_halting_after_a_run_on_paper_halts_paper(
    run: Command, tmp_path: Path, paper: dict[str, str], store: SqliteStateStore
) -> None:
    assert "account paper" in run("run", "--paper", **paper).err
    halted = run("halt", "--reason", "a drill")
    assert (halted.code, halted.out.splitlines()[0][:24]) == (0, "account paper is halted,")
    assert trading_state(store, "paper") is TradingState.HALTED
    assert store.list(keys.account_partition("demo")) == (), "an account that is not there is not stopped"
    by_setting = run("authority", **paper, ALCHEMISER_ENVIRONMENT="paper")
    assert "trading is halted" in by_setting.out, "chosen by a setting it is the same account"
    wrong = run("resume", "--reason", "over")
    assert (wrong.code, "no account demo; it has paper" in wrong.err) == (2, True)
    assert trading_state(store, "paper") is TradingState.HALTED
    assert "paper is active" in run("resume", "--account", "paper", "--reason", "over").out
    assert "paper is halted" in run("halt", "--reason", "again", ALCHEMISER_HOME=str(tmp_path / ".alchemiser")).out


def test_halt_stops_every_account_of_the_home_and_says_which_it_could_not(
    run: Command, store: SqliteStateStore
) -> None:
    known(store, "demo", "paper", "second")
    done = run("halt", "--reason", "a drill")
    assert done.code == 0
    assert [line.split()[1] for line in done.out.splitlines()] == ["demo", "paper", "second"]
    assert run("resume", "--reason", "over").err.count("stays halted") == 2
    switch = store.get(keys.trading_state_record("paper"))
    assert switch is not None
    store.write(Put(switch.key, "{damaged", switch.version))
    failed = run("halt", "--reason", "again")
    assert failed.code == 1
    assert "NOT stopped: paper: " in failed.err
    assert [trading_state(store, alias) for alias in ("demo", "second")] == [TradingState.HALTED] * 2
    bound = Put(keys.account_binding("demo"), "{damaged", ABSENT)
    store.write(bound)
    assert run("resume", "--account", "second", "--reason", "over").code == 0
    again = run("halt", "--reason", "with a binding that nobody can read")
    assert [line.split()[1] for line in again.out.splitlines()] == ["demo", "second"]
    only = run("reduce", "--account", "second", "--reason", "one")
    assert (only.code, trading_state(store, "demo")) == (0, TradingState.HALTED)
    assert "has no account third; it has demo, paper, second" in run("halt", "--account", "third", "--reason", "x").err


def test_two_aliases_of_a_home_do_not_trade_one_account(
    run: Command, paper: dict[str, str], store: SqliteStateStore
) -> None:
    known(store, "main")
    account_id = str(SimulatorConfig(history=open_market(None).history, start=NOW).account)
    binding = AccountBinding(account_id=account_id, environment="paper", since=NOW)
    store.write(put(keys.account_binding("main"), binding, ABSENT))
    refused = run("run", "--paper", **paper)
    assert refused.code == 1
    assert f"paper account {account_id}, which this home trades as main, not as paper" in refused.err
    assert run("run", "--paper", **paper, ALCHEMISER_ACCOUNT_ALIAS="main").code == 0


def test_a_home_that_traded_paper_under_the_former_default_is_migrated_by_a_command_and_not_in_silence(
    run: Command, paper: dict[str, str], store: SqliteStateStore
) -> None:
    known(store, "demo")
    traded(store, "demo", Environment.PAPER)
    set_trading_state(store, "demo", TradingState.REDUCING, who="test", reason="a drill", now=NOW)
    refused = run("run", "--paper", **paper)
    assert refused.code == 2
    assert "alchemiser account adopt demo --reason" in refused.err
    on_paper = paper | {"ALCHEMISER_ENVIRONMENT": "paper"}
    looked = run("account", "adopt", "demo", "--reason", "one account", "--dry-run", **on_paper)
    assert "list of runs: 1 of demo come over" in looked.out
    assert store.list(keys.account_partition("paper")) == ()
    done = run("account", "adopt", "demo", "--reason", "one account", "--yes", **on_paper)
    assert (done.code, "demo is part of paper now" in done.out) == (0, True), done.err
    assert trading_state(store, "paper") is TradingState.REDUCING
    assert [entry.what.partition(":")[0] for entry in read_audit(store, "paper")] == ["adoption"]
    assert run("run", "--paper", **paper).code == 0
    assert "demo:2026-11-02" in run("runs", "--json", **on_paper).out, "its runs are in the list"
    gone = read_binding(store, "demo")
    assert gone is not None
    assert gone.value.moved_to == "paper"
    assert "account demo is" not in run("halt", "--reason", "a drill").out
    again = run("account", "adopt", "demo", "--reason", "once more", "--yes", **on_paper)
    assert (again.code, "was given up for paper before" in again.err) == (1, True)


def test_a_home_that_only_simulated_under_the_former_default_goes_on(
    run: Command, paper: dict[str, str], store: SqliteStateStore
) -> None:
    known(store, "demo")
    traded(store, "demo", Environment.SIMULATED)
    assert run("run", "--paper", **paper).code == 0


def test_an_account_in_the_middle_of_a_run_is_not_adopted(run: Command, store: SqliteStateStore) -> None:
    from alchemiser_trading.account.lease import AccountLease
    from support.clock import ManualClock

    known(store, "demo", "paper")
    AccountLease.acquire(store, ManualClock(datetime.now(UTC)), "demo", owner="me", duration=timedelta(minutes=10))
    arguments = ("account", "adopt", "demo", "--reason", "x", "--yes")
    refused = run(*arguments, ALCHEMISER_ENVIRONMENT="paper")
    assert (refused.code, "is worked on by me" in refused.err) == (1, True)
    binding = read_binding(store, "demo")
    assert binding is None
