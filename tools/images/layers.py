"""What an image weighs, layer by layer, and which files are in it."""

import gzip
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from images.docker import docker
from images.errors import ImagesError

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its content's digest, bytes in files, bytes as a registry keeps it (gzip), number of files."""

    digest: str
    size: int
    compressed: int
    files: int


def layer_digests(image: str) -> list[str]:
    """Content digests of the image's layers, lowest first."""
    found: list[str] = json.loads(docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", image))
    return found


def layers(image: str, known: dict[str, Layer] | None = None) -> list[Layer]:
    """The image's layers, lowest first. `known` spares layers that were weighed before; new ones are added to it."""
    known = {} if known is None else known
    digests = layer_digests(image)
    if not all(digest in known for digest in digests):
        known |= _weigh(image, digests, known)
    return [known[digest] for digest in digests]


# `docker image save` gives one archive: manifest.json names a blob for each layer, in the order of the image's digests.
# A blob is gzip or plain as the engine keeps it, so both sizes are made comparable here.
def _weigh(image: str, digests: list[str], known: dict[str, Layer]) -> dict[str, Layer]:
    with _output("image", "save", image) as stream, tarfile.open(fileobj=io.BytesIO(stream.read())) as archive:
        manifest = json.load(_open(archive, "manifest.json"))[0]
        return {
            digest: _layer(digest, _open(archive, name).read())
            for digest, name in zip(digests, manifest["Layers"], strict=True)
            if digest not in known
        }


def _layer(digest: str, blob: bytes) -> Layer:
    plain = gzip.decompress(blob) if blob.startswith(_GZIP) else blob
    compressed = len(blob) if blob.startswith(_GZIP) else len(gzip.compress(blob, 6))
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        sizes = [member.size for member in archive if member.isfile()]
    return Layer(digest, sum(sizes), compressed, len(sizes))


def files(image: str, wanted: Iterable[str] = ()) -> dict[str, bytes]:
    """Every regular file's path, with its content where the path ends in one of `wanted` and nothing elsewhere."""
    endings = tuple(wanted)
    container = docker("container", "create", image, "true")
    try:
        with _output("container", "export", container) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            found = {}
            for member in archive:
                if member.isfile():
                    path = f"/{member.name}"
                    inside = archive.extractfile(member) if endings and path.endswith(endings) else None
                    found[path] = inside.read() if inside else b""
            return found
    finally:
        docker("container", "rm", container)


@contextmanager
def _output(*arguments: str) -> Iterator[IO[bytes]]:
    with subprocess.Popen(["docker", *arguments], stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise ImagesError("docker gave no output")
        yield process.stdout
        process.stdout.read()
    if process.returncode != 0:
        raise ImagesError(f"docker {' '.join(arguments[:2])} failed with exit code {process.returncode}")


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    inside = archive.extractfile(name)
    if inside is None:
        raise ImagesError(f"the saved image lacks {name}")
    return inside
