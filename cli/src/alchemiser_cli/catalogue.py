"""The sub-commands by name, with module and line of help: what help and completion need, and nothing imported."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A command's module in `alchemiser_cli.commands`, and the first line of its own help (a test holds them equal)."""

    module: str
    line: str


COMMANDS = {
    "demo": Entry("demo", "Show the whole line at work on a simulated exchange."),
    "init": Entry(
        "init", "Begin in this folder: a commented alchemiser.toml, a .env for keys, and an example strategy."
    ),
    "run": Entry("run", "Run one trading cycle: read the market, decide, trade, report."),
    "status": Entry(
        "status",
        "Show how the account stands: worth, profit, holdings against targets, switches, last run, what needs a hand.",
    ),
    "performance": Entry(
        "performance",
        "Show what the account earned between two sessions, and what of it each strategy, symbol or month did.",
    ),
    "books": Entry(
        "books",
        "List each strategy's open lots with cost and unrealised profit, and what it has realised and earned. USD.",
    ),
    "dashboard": Entry(
        "dashboard",
        "Show the account in a browser: today, performance, runs with their reasons and orders, strategies, parity.",
    ),
    "report": Entry(
        "report",
        "Write what the dashboard shows of today, performance and the newest runs as one page to keep or send.",
    ),
    "runs": Entry("runs", "List the account's runs, newest first."),
    "show": Entry("show", "Show one run: signals with reasons, decision, plan, fills and times."),
    "capture": Entry(
        "capture",
        "Write a run as a case: trigger, snapshot, decision, plan, orders, report and what else is kept of it.",
    ),
    "trace": Entry(
        "trace",
        "Draw a run's time: scheduled, data, queue, strategy, queue, trading, to its last order and last fill.",
    ),
    "executions": Entry(
        "executions", "Show arrival mid, fill price, slippage, steps and time of every filled leg, and the means."
    ),
    "decide": Entry("decide", "What the strategies would hold after a close. Uses no broker and no stored state."),
    "explain": Entry(
        "explain",
        "Why the strategies decided what they decided: every condition and ranking on the way, with its values.",
    ),
    "backtest": Entry(
        "backtest",
        "Evaluate the strategies on every day at once and print what holding their weights would have earned.",
    ),
    "prices": Entry("prices", "Price files: import, look, check; fetch from the broker."),
    "replay": Entry(
        "replay",
        "Evaluate a run's archived snapshot again with today's strategies and compare with what was decided then.",
    ),
    "strategies": Entry("strategies", "Look at strategies."),
    "universe": Entry(
        "universe",
        "Print the symbols that the enabled strategies read, each with the daily bars that are needed of it.",
    ),
    "halt": Entry(
        "switches", "Stop trading, on every account of the home: from now on no order is sent, in a running cycle too."
    ),
    "reduce": Entry("switches", "Allow sells only, from the next order on."),
    "resume": Entry(
        "switches", "Allow every order again, on one account: others that are stopped stay so, and are named."
    ),
    "account": Entry("account", "See the accounts of this home; make one of two names for one account."),
    "authority": Entry(
        "authority", "Show which pipeline may trade the account, or give it to one. Refused while a run is in progress."
    ),
    "audit": Entry("authority", "List what people changed: authority, switches, repaired books."),
    "reconcile": Entry(
        "reconcile",
        "Compare the strategies' positions, added up, with the account's. Changes nothing unless asked to repair.",
    ),
    "dlq": Entry("dead_letters", "Look at dead letters, send them back, or drop them."),
    "simulator": Entry("simulator", "An Alpaca-compatible exchange on this machine."),
    "parity": Entry(
        "parity", "Say of each cycle whether monolith and modular pipeline came to the same, and if not, why not."
    ),
    "phase": Entry("phase", "See where a stage's rollout stands, and plan its next step."),
    "config": Entry("config", "Look at the settings."),
    "invoke": Entry(
        "invoke",
        "Ask a stage's live function for what it would do with a captured case, and compare with what was recorded.",
    ),
    "stage": Entry("stage", 'Print the settings of a deployed stage, for a shell: eval "$(alchemiser stage dev)".'),
    "deploy": Entry("deploy", "Bring a stage to this checkout's template, and optionally to another phase or image."),
    "rollback": Entry("deploy", "Put an earlier build of one service live again."),
    "doctor": Entry(
        "doctor",
        "Examine a stage's account, deployment and portfolio; without --stage the portfolio of this folder's settings.",
    ),
    "notify": Entry("notify", "Be told of every run: try the channels."),
    "serve": Entry("serve", "Run each session's cycle at its time, watch over it and tell of it, until interrupted."),
}
"""In the order a newcomer meets them. A module's `app` is a group, or holds those commands."""
