"""What each service's image weighs, beside the naive image of deploy/naive: one stage, every dependency, unpruned."""

from dataclasses import dataclass

from images.build import build_command
from images.docker import docker_aloud
from images.layers import Layer, layers
from images.settings import SERVICES, ImageSettings

NAIVE = "naive"
AIMS = {"strategy": 0.40, "data": 0.65, "trading": 0.65}
"""Largest size above the base, as a fraction of the naive image's."""


@dataclass(frozen=True, slots=True)
class Weight:
    """An image's size and files: in all, and what it adds to the base. Bytes."""

    image: str
    size: int
    compressed: int
    files: int
    own_size: int
    own_compressed: int
    own_files: int


def build_naive(settings: ImageSettings) -> str:
    """Build the yardstick; returns its name."""
    name = f"{settings.prefix}/{NAIVE}:report"
    command = build_command("deploy/naive/Dockerfile", "", name, settings, {})
    docker_aloud([part for part in command if part not in {"--target", ""}])
    return name


def weigh(images: dict[str, str]) -> dict[str, Weight]:
    """The weight of each image; the base is the layers that all of them begin with."""
    known: dict[str, Layer] = {}
    found = {name: layers(image, known) for name, image in images.items()}
    base = 0
    while len({tuple(layer.digest for layer in each[: base + 1]) for each in found.values()}) == 1:
        base += 1
    return {name: _weight(images[name], each, each[base:]) for name, each in found.items()}


def _weight(image: str, every: list[Layer], own: list[Layer]) -> Weight:
    return Weight(
        image,
        sum(layer.size for layer in every),
        sum(layer.compressed for layer in every),
        sum(layer.files for layer in every),
        sum(layer.size for layer in own),
        sum(layer.compressed for layer in own),
        sum(layer.files for layer in own),
    )


def missed(weights: dict[str, Weight]) -> list[str]:
    """The aims that are not met, in words."""
    naive = weights[NAIVE].own_size
    return [
        f"{name} adds {weights[name].own_size / naive:.0%} of the naive image's size; the aim is {aim:.0%}"
        for name, aim in AIMS.items()
        if weights[name].own_size > aim * naive
    ]


def table(weights: dict[str, Weight]) -> str:
    """Markdown, megabytes of a million bytes."""
    naive = weights[NAIVE]
    lines = [
        "| image | size | compressed | files | above the base | compressed | files | of naive | aim |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in (*SERVICES, NAIVE):
        weight = weights[name]
        aim = f"{AIMS[name]:.0%}" if name in AIMS else ""
        lines.append(
            f"| {name} | {weight.size / 1e6:.1f} MB | {weight.compressed / 1e6:.1f} MB | {weight.files} "
            f"| {weight.own_size / 1e6:.1f} MB | {weight.own_compressed / 1e6:.1f} MB | {weight.own_files} "
            f"| {weight.own_size / naive.own_size:.0%} | {aim} |"
        )
    return "\n".join(lines) + "\n"
