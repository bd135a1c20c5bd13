"""The images of the drill: those that `make build` made, and the same with one thing wrong on purpose.

A wrong one is the image with a `sitecustomize.py` beside its code, which Python runs first.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from alchemiser_cli.stage.names import SERVICES
from images.docker import docker, exists
from images.errors import ImagesError

# One threshold of one strategy, the first one that tecl looks at after the trend.
THRESHOLD = """
from alchemiser_strategy.strategies import vocabulary
_as_built = vocabulary.Vocabulary.above
def _changed(self, symbol, level, window=10):
    return _as_built(self, symbol, 78.5 if (symbol, level) == ("TQQQ", 79) else level, window)
vocabulary.Vocabulary.above = _changed
"""
# Every verdict is `identical`, whatever was found.
VERDICT = """
from alchemiser_common.records.parity import Verdict
from alchemiser_trading.runs.parity import verdicts
_as_built = verdicts.keep
def _forced(store, cycle_id, sides, found, now):
    return _as_built(store, cycle_id, sides, verdicts.Found(Verdict.IDENTICAL), now)
verdicts.keep = _forced
"""
# bootstrap gives the shadow the broker that trades.
BARRIER = """
from alchemiser_trading import bootstrap
_as_built = bootstrap.connect
def _trading(settings, adapters, clock):
    from alchemiser_common.alpaca.broker import AlpacaBroker, open_alpaca
    if not settings.shadow:
        return _as_built(settings, adapters, clock)
    secrets = adapters.secrets()
    broker = open_alpaca(AlpacaBroker, settings, secrets.broker_credentials(), secrets, clock)
    return bootstrap.Connection(broker, broker)
bootstrap.connect = _trading
"""
BREAKS: Mapping[str, Mapping[str, str]] = {
    "gate": {},
    "verdict": {"trading": VERDICT, "monolith": VERDICT},
    "barrier": {"trading": BARRIER},
}
"""What is broken so that the drill must fail: by service, what runs first in its image; the gate is this process's."""


def images_of(prefix: str, tag: str) -> dict[str, str]:
    """The images with the emulator in them, by service. Raises ImagesError if `make build` did not make them."""
    found = {service: f"{prefix}/{service}:{tag}-local" for service in SERVICES}
    for name in found.values():
        if not exists(name):
            raise ImagesError(f"image {name} is not here: `make build` makes it")
    return found


def with_first(image: str, code: str) -> str:
    """The image in which `code` runs first; its name."""
    name = f"{image}-drill"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(code)
        (Path(folder) / "Dockerfile").write_text(f"FROM {image}\nCOPY sitecustomize.py /var/task/\n")
        docker("image", "build", "--quiet", "--tag", name, folder)
    return name
