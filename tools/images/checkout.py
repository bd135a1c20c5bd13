"""What this folder builds: how images are made here, the own strategies, and so the build's tag."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from images.settings import ROOT, ImageSettings, load
from images.source import Source, read_source
from images.strategies import OwnStrategies, own_strategies


@dataclass(frozen=True, slots=True)
class Checkout:
    """The settings, what they lead to, and what the images say of themselves."""

    settings: ImageSettings
    strategies: OwnStrategies | None
    source: Source


def read_checkout(environment: Mapping[str, str], root: Path = ROOT) -> Checkout:
    """As the files and the environment say. Raises ImagesError."""
    settings = load(environment, root)
    strategies = own_strategies(root, settings.strategies)
    return Checkout(settings, strategies, read_source(root, strategies))
