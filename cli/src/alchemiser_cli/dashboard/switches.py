"""Halt, reduce and resume by forms: a reason, then a page to confirm, then the change, by the code that commands use.

Each step's form has a token that only our own pages have; that of the confirmation holds for its reason alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.security import Access
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.text import printable

type Switch = Callable[[TradingState, str, str], object]
"""Changes what the account may do: to what, who says so, why. Raises AlchemiserError."""
_LONGEST = 500
"""Characters of a reason, and of a name."""


@dataclass(frozen=True, slots=True)
class Action:
    """One change that can be asked for."""

    name: str
    state: TradingState
    title: str
    means: str


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("halt", TradingState.HALTED, "Halt", "No order is sent from now on, in a running cycle too."),
        Action("reduce", TradingState.REDUCING, "Only sell", "From the next order on, only sells are sent."),
        Action("resume", TradingState.ACTIVE, "Resume", "Every order is allowed again."),
    )
}


class Switches:
    """The forms of one account's switch. `user` is whose word it is if the form names nobody."""

    def __init__(self, switch: Switch, access: Access, user: str) -> None:
        self._switch = switch
        self._access = access
        self._user = user

    def ask(self, action: Action, *, lacks: str = "", status: int = HTTPStatus.OK) -> Page:
        """The first form."""
        values = {"action": action, "who": self._user, "proof": self._access.form_token(action.name), "lacks": lacks}
        return Page("switch.html", f"{action.title}?", values, status=status)

    def post(self, action: Action, form: Mapping[str, str]) -> Page | None:
        """What a sent form leads to: the page to confirm, or, once that is sent, the change; None when it is made."""
        reason, who = _plain(form.get("reason", "")), _plain(form.get("who", "")) or self._user
        confirms = form.get("confirmed") == "yes"
        needed = _confirmed(action, who, reason) if confirms else action.name
        if not self._access.allows(needed, form.get("proof", "")):
            return self.ask(action, lacks="That form was not one of this page's. Ask again.", status=403)
        if not reason:
            return self.ask(action, lacks="A change of what may be traded needs a reason.", status=422)
        if confirms:
            self._switch(action.state, who, reason)
            return None
        proof = self._access.form_token(_confirmed(action, who, reason))
        values = {"action": action, "who": who, "reason": reason, "proof": proof}
        return Page("confirm.html", f"{action.title}: sure?", values)


def _plain(text: str) -> str:
    """On one line, nothing unseen in it: the confirmation sends back exactly what it shows."""
    return printable(" ".join(text.split()))[:_LONGEST].strip()


def _confirmed(action: Action, who: str, reason: str) -> str:
    return f"{action.name}\n{who}\n{reason}"
