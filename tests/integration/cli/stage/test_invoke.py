"""`alchemiser invoke` on a stage in phase shadow: both answers, what differs, and its exit codes."""

import json

from support.aws import CREDENTIALS
from support.cases import FOLDER
from support.command import Result, alchemiser
from support.stages import StageOnMoto


def invoke(dev: StageOnMoto, service: str, case: str, *options: str) -> Result:
    extra = {**CREDENTIALS, "ALCHEMISER_AWS__ENDPOINT_URL": dev.url}
    return alchemiser(dev.folder, "invoke", "dev", service, "--case", str(FOLDER / case), *options, extra=extra)


def test_a_case_is_put_to_the_live_functions_and_compared(dev: StageOnMoto) -> None:
    same = invoke(dev, "trading", "calm-bull")
    assert same.code == 0, same.err
    assert "the same" in same.out
    assert "buy " in same.out
    other = invoke(dev, "strategy", "calm-bull", "--json")  # the stage shares the account among other strategies
    assert other.code == 1, other.err
    answer = json.loads(other.out)
    assert answer["same"] is False
    assert any(line.startswith("only then: nuclear-volatility (25.00%, ") for line in answer["differences"])
    assert any(line.startswith("tecl (50.00%, ") for line in answer["answered"])


def test_what_cannot_be_asked_is_refused(dev: StageOnMoto) -> None:
    assert "give one of data, strategy, trading" in invoke(dev, "moon", "calm-bull").err
    nothing = invoke(dev, "data", "no-such-case")
    assert (nothing.code, "is no captured case" in nothing.err) == (2, True)
    assert "has no snapshot to compare with" in invoke(dev, "data", "holiday").err
