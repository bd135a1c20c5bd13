"""`python -m local`: the processes of the laptop's containers, and the scheduled cycle through them."""

import logging
import os
import shlex
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Annotated

import typer

from alchemiser_common.errors import AlchemiserError, InvalidSettings, TransientError
from alchemiser_common.telemetry import log_to

if TYPE_CHECKING:
    from deploy.expand import Stack

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What feeds the functions when they run as containers on one machine. `aws`, `exchange` and `deliver` are "
    "processes of compose.yaml; `provision` and `cycle` are what `make up` and `make cycle` run beside them. "
    "Exit codes: 0 done, 1 the run ended badly, 2 wrong arguments, 3 something was out of reach.",
)


def _published(variable: str, usual: int) -> str:
    """Where compose.yaml publishes a port: the variable chooses another than the usual, there and here."""
    return f"http://127.0.0.1:{os.environ.get(variable) or usual}"


AWS_URL = _published("AWS_PORT", 5000)
EXCHANGE_URL = _published("ALPACA_PORT", 8765)
DATA_URL = _published("DATA_PORT", 9001)
STRATEGY_URL = _published("STRATEGY_PORT", 9002)
TRADING_URL = _published("TRADING_PORT", 9003)
MONOLITH_URL = _published("MONOLITH_PORT", 9004)
SPEED = 20.0
"""Seconds of the exchange in a real second: a cycle takes some seconds, and time-outs stay longer than a start."""

_Endpoint = Annotated[str, typer.Option(help="Where the local AWS answers.")]
_Exchange = Annotated[str, typer.Option("--exchange", help="Where the exchange answers.")]
_Account = Annotated[str, typer.Option(help="Alias of the account.")]
_Phase = Annotated[str, typer.Option(help="Rollout phase: monolith, staged, shadow, cutover or modular.")]
_Strategy = Annotated[str, typer.Option("--strategy", help="Where the strategy function answers.")]
_Monolith = Annotated[str, typer.Option("--monolith", help="Where the monolith answers.")]
_Speed = Annotated[float, typer.Option(help="Seconds of the exchange in a real second.", min=0.1)]


@app.command()
def deliver(
    maps: Annotated[
        list[str],
        typer.Option("--map", metavar="QUEUE=URL,SECONDS", help="A queue's name, its function's URL and time-out."),
    ],
    watches: Annotated[
        list[str] | None,
        typer.Option(
            "--watch", metavar="URL,SECONDS,EVERY", help="A function that is watched, its time-out, and how often."
        ),
    ] = None,
    endpoint: _Endpoint = AWS_URL,
) -> None:
    """Take messages from queues to functions until stopped, as Lambda's event source mappings do.

    One message at a time and in order of its group. What the function failed stays hidden until the queue's visibility
    is over; when the queue has given it as often as it may it goes to the dead letters, and an ALARM line says so. A
    watched function is asked to go on with a run that nobody works on.
    """
    from local.aws import LocalAws
    from local.delivering import deliver_all, read_map, read_watch

    log_to(sys.stdout, service="event-source")
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deliver_all(
        LocalAws(endpoint), [read_map(text) for text in maps], stop, [read_watch(text) for text in watches or ()]
    )


@app.command()
def aws(port: Annotated[int, typer.Option(help="Port, on every interface.")] = 5000) -> None:
    """Serve moto to other containers: what it holds ends with it. One request at a time, since it locks nothing."""
    from local.aws_server import serve_aws

    serve_aws("0.0.0.0", port)  # noqa: S104


@app.command()
def exchange(
    data: Annotated[Path | None, typer.Option(help="Daily prices instead of the bundled sample market.")] = None,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S"], help="Where its time begins, UTC.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="SQLite file that keeps the books through restarts.")] = None,
    speed: _Speed = SPEED,
    port: Annotated[int, typer.Option(help="Port, on every interface.")] = 8765,
) -> None:
    """Serve the simulated exchange to other containers: its time flows `speed` times as fast as real time."""
    from local.exchange import serve_exchange

    logging.basicConfig(level=logging.WARNING)
    begin = start.replace(tzinfo=UTC) if start else None
    serve_exchange(host="0.0.0.0", port=port, speed=speed, data=data, start=begin, state=state)  # noqa: S104


@app.command()
def override(phase: _Phase) -> None:
    """Print what `docker compose --file` takes after compose.yaml, so that the containers are those of a phase.

    The switches are those that deploy/template.yaml gives each function in it; who is not in the phase goes, and the
    event source feeds and watches as the deployed one.
    """
    from local.phase import LocalPhase, override_text

    sys.stdout.write(override_text(LocalPhase(_stack("demo", phase))))


@app.command()
def provision(
    endpoint: _Endpoint = AWS_URL,
    speed: _Speed = SPEED,
    account: _Account = "demo",
    strategy_url: _Strategy = STRATEGY_URL,
    monolith_url: _Monolith = MONOLITH_URL,
    phase: _Phase = "modular",
) -> None:
    """Make table, bucket, queues, bus and secrets as deploy/template.yaml defines them, unless they are there.

    Time-outs of the template become real seconds: they are divided by the exchange's speed, 30 s at least. The strategy
    function is asked what its strategies read, and the data function finds that in the table. Authority goes to the
    pipeline that trades in the phase.
    """
    from local.aws import LocalAws
    from local.functions import Function
    from local.phase import LocalPhase
    from local.stage import LocalStage, universe_of

    has_strategy = "strategy" in LocalPhase(_stack(account, phase)).services
    asked = ("strategy", strategy_url) if has_strategy else ("monolith", monolith_url)
    stage = LocalStage(LocalAws(endpoint), account, speed)
    made = stage.make(phase)
    stage.keep(universe_of(Function(*asked, timedelta(seconds=30))))
    typer.echo(f"{'made the local stage' if made else 'the local stage is there'}, in phase {phase}", err=True)


def _stack(account: str, phase: str) -> "Stack":
    """The template in the phase. Raises InvalidSettings for one that there is not."""
    from alchemiser_cli.stage.names import PHASES
    from local.stage import local_stack

    if phase not in PHASES:
        raise InvalidSettings(f"phase {phase!r} is none of {', '.join(PHASES)}")
    return local_stack(account, phase=phase)


@app.command()
def variables(
    endpoint: _Endpoint = AWS_URL, exchange_url: _Exchange = EXCHANGE_URL, account: _Account = "demo"
) -> None:
    """Print settings with which `alchemiser` works on the local stage, for a shell to take over with `eval`.

    A shell and not a `.env` file: the key of the local AWS is one of them, and AWS's own library reads no file of ours.
    """
    from local.aws import LocalAws
    from local.stage import LocalStage

    for name, value in LocalStage(LocalAws(endpoint), account, SPEED).variables(exchange_url).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def cycle(
    endpoint: _Endpoint = AWS_URL,
    exchange_url: _Exchange = EXCHANGE_URL,
    data_url: Annotated[str, typer.Option("--data", help="Where the data function answers.")] = DATA_URL,
    trading_url: Annotated[str, typer.Option("--trading", help="Where the trading function answers.")] = TRADING_URL,
    monolith_url: _Monolith = MONOLITH_URL,
    patience: Annotated[float, typer.Option(help="Real seconds to wait for the run's end.")] = 300.0,
    account: _Account = "demo",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Move the exchange to the next session's decision time, fire what the phase schedules, and show what became of it.

    In shadow that is both pipelines, and their verdict.
    """
    from local.aws import LocalAws
    from local.cycle import Exchange, run_cycle
    from local.stage import LocalStage

    stage = LocalStage(LocalAws(endpoint), account, SPEED)
    urls = {"data": data_url, "trading": trading_url, "monolith": monolith_url}
    raise typer.Exit(run_cycle(stage, Exchange(exchange_url), urls, patience=patience, as_json=as_json))


def main() -> None:
    """Turn the project's errors into one line and an exit code."""
    try:
        app(prog_name="python -m local")
    except AlchemiserError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(
            3 if isinstance(error, TransientError) else 2 if isinstance(error, InvalidSettings) else 1
        ) from error


if __name__ == "__main__":
    main()
