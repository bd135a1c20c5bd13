"""`alchemiser stage`: the variables with which every other command works on a deployed stage."""

import shlex

import typer

from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson, StageArgument

app = typer.Typer()


@app.command()
def stage(name: StageArgument, *, as_json: AsJson = False) -> None:
    """Print the settings of a deployed stage, for a shell: eval "$(alchemiser stage dev)".

    From then on `alchemiser runs`, `show`, `halt`, `authority` and the like work on the stage's own records.
    """
    with command(as_json=as_json) as context:
        opened = context.stage(name)
        opened.account()
        found = opened.deployed()
        given = {
            "ALCHEMISER_BACKEND": "aws",
            "ALCHEMISER_ENVIRONMENT": found.parameters["BrokerEnvironment"],
            "ALCHEMISER_ACCOUNT_ALIAS": found.account_alias,
            "ALCHEMISER_AWS__REGION": opened.config.region,
            "ALCHEMISER_AWS__TABLE": found.outputs["Table"],
            "ALCHEMISER_AWS__BUCKET": found.outputs["Bucket"],
            "ALCHEMISER_AWS__MARKET_DATA_QUEUE": found.outputs["MarketDataQueue"],
            "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": found.outputs["TradeDecisionQueue"],
            "ALCHEMISER_AWS__EVENT_BUS": found.outputs["EventBus"],
            "ALCHEMISER_AWS__BROKER_SECRET": found.outputs["BrokerSecret"],
        }
        lines = "\n".join(f"export {variable}={shlex.quote(value)}" for variable, value in given.items())
        context.emit(given, lambda: typer.echo(lines))
