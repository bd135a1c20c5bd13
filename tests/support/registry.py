"""A real registry on loopback: Debian's docker-registry where it is installed, otherwise the public image."""

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from images.docker import docker

_IMAGE = "registry:2.8.3"
_PATIENCE = 20.0


@contextmanager
def local_registry(folder: Path) -> Iterator[str]:
    """Its address as host:port; what it holds is below `folder` and goes with it."""
    if shutil.which("docker-registry") is None:
        container = docker("run", "--detach", "--publish", "127.0.0.1::5000", _IMAGE)
        try:
            yield _ready(docker("container", "port", container, "5000/tcp").splitlines()[0])
        finally:
            docker("container", "rm", "--force", "--volumes", container)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}/blobs'}}}}\n"
    )
    command = ["docker-registry", "serve", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield _ready(address)
        finally:
            process.terminate()


def _ready(address: str) -> str:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return address
