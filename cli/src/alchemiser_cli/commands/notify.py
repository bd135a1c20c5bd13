"""`alchemiser notify`: whether the channels take messages."""

import typer

from alchemiser_cli.console import Exit, out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson
from alchemiser_common.errors import MissingSecret
from alchemiser_common.messages.notice import Notice

app = typer.Typer(help="Be told of every run: try the channels.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Be told of every run: try the channels."""


@app.command(name="test")
def try_channels(*, as_json: AsJson = False) -> None:
    """Send a message to every channel of APPRISE_URLS and call HEARTBEAT_URL, and say which took it.

    Both are secrets, in .env or the environment; channels are apprise's URLs separated by spaces, as
    mailto://user:password@example.org or tgram://TOKEN/CHAT. Exit code 1 if one does not take it.
    """
    with command(as_json=as_json) as context:
        from alchemiser_common.channels import HEARTBEAT, URLS, Channels

        channels = Channels.of(context.variables)
        if not channels.names and not channels.has_heartbeat:
            raise MissingSecret(
                f"there is no channel: put {URLS} (apprise's URLs, separated by spaces) or {HEARTBEAT} into .env"
            )
        sent = channels.send(
            Notice(f"{context.account}: a test", "alchemiser notify test: this channel takes messages.")
        )
        silent = channels.beat()
        failed = sent.failed if silent is None else (*sent.failed, silent)

        def table() -> None:
            took = sent.channels - len(sent.failed)
            out.print(f"{took} of {sent.channels} channels took the message: {', '.join(channels.names) or 'none'}")
            if channels.has_heartbeat and silent is None:
                out.print("the heartbeat was taken")
            for line in failed:
                out.print(f"[bold red]{line}[/]", soft_wrap=True)

        context.emit({"channels": list(channels.names), "failed": list(failed)}, table)
        if failed:
            raise typer.Exit(Exit.FAILED)
