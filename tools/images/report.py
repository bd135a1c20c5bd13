"""What each service's image weighs, in all and above the base that every image shares."""

from dataclasses import dataclass

from images.layers import Layer, layers


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


def table(weights: dict[str, Weight]) -> str:
    """Markdown, megabytes of a million bytes."""
    lines = [
        "| image | size | compressed | files | above the base | compressed | files |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {weight.size / 1e6:.1f} MB | {weight.compressed / 1e6:.1f} MB | {weight.files} "
        f"| {weight.own_size / 1e6:.1f} MB | {weight.own_compressed / 1e6:.1f} MB | {weight.own_files} |"
        for name, weight in weights.items()
    ]
    return "\n".join(lines) + "\n"
