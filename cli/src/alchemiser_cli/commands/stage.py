"""`alchemiser stage`: the variables with which every other command works on a deployed stage."""

import json
import shlex
from typing import Annotated

import typer

from alchemiser_cli.console import reported_errors

app = typer.Typer()


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="A stage of deploy/samconfig.toml: dev, staging, prod.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines for a shell.")] = False,
) -> None:
    """Print the settings of a deployed stage, for a shell: eval "$(alchemiser stage dev)".

    From then on `alchemiser runs`, `show`, `halt`, `authority` and the like work on the stage's own records.
    """
    with reported_errors():
        from alchemiser_cli.stage.opening import open_stage
        from alchemiser_cli.stage.stack import Refused

        opened = open_stage(name)
        opened.account()
        found = opened.stack()
        if found is None:
            raise Refused(f"stage {name} is not deployed: stack {opened.config.stack} does not exist")
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
        if as_json:
            typer.echo(json.dumps(given))
        else:
            for variable, value in given.items():
                typer.echo(f"export {variable}={shlex.quote(value)}")
