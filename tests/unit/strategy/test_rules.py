"""The hash of what a strategy decides by: a file that is read as before has the hash that it had."""

from pathlib import Path

import pytest

from alchemiser_strategy.registry import built_in_strategies
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.user_strategies import strategies_of_folder
from deploy.template import ROOT

EXAMPLES: Path = ROOT / "examples" / "strategies"
GOLDEN = {
    "best-of-three": "8c1d884a8851ccca2c4f06cb9ec403595faf35c28b9ba9931308afaab73628d7",
    "calm-mix": "7aa3159466fd3ab4164ca28ef3748c110852282a2f134a69fa455a61833af9b2",
    "dip-and-lead": "9ed7f616be332c020ad58c255a9a9886a312b1d3cb3961b4a4d241ec25c442a2",
    "klm": "83ab7828ce91b011b24d687ecd61d22632be36a8ac1b419d66e3f3cab185996e",
    "klm-ensemble": "d6f9d37122df55240ffe3259ca5b71180b543b71b25c2b7b90a40e85743ff624",
    "nuclear": "2e556acc41ce254d0a7c0c3bff0b6a8c88da065aa96817ea480228aafa663067",
    "nuclear-volatility": "2bef8bc3c4e3e14668c4f1931b1da285e6dbce418bfbc079542bc86e722ee132",
    "sixty-forty": "98c74e0208309502f5449dd85f9bb5725d88c431f6b02e5cb2ffbb524efcd322",
    "tecl": "c05cc2d89dab7efaa854071b3b1f8ce39b83ba86172d1cdadb1e6394cc921923",
    "trend": "7630954df9bbb92ec738977b43e138418ed7fc05e1d6f4865f586be03990c89c",
}
"""A strategy with another hash is due at once, whatever its calendar says: a reader may change none of them."""


@pytest.mark.parametrize("name", GOLDEN)
def test_the_hash_of_a_strategy_stays(name: str) -> None:
    make = {**built_in_strategies(), **strategies_of_folder(EXAMPLES)}[name]
    assert rules_of(make()) == GOLDEN[name]
