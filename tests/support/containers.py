"""compose.yaml's containers as a test holds them: killed, paused, cut off, started again; loopback ports that stay."""

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Self
from uuid import uuid4

import docker
from docker.models.containers import Container
from docker.models.networks import Network

_START_SECONDS = 60.0
LABEL = "alchemiser-e2e"


@dataclass(frozen=True)
class Wanted:
    """One container to be: its image, what it is told, and which networks it is in besides the one it is asked on."""

    role: str
    image: str
    port: int
    """Inside; outside a free one of loopback that stays through restarts."""
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    networks: tuple[str, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Volume, or file of this machine, to the path inside."""
    memory: str = "1g"


class Box:
    """One running container."""

    def __init__(self, container: Container, role: str, port: int) -> None:
        self._container = container
        self.role = role
        self.port = port
        self.killed = 0
        self._asked = False
        self._changing = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        self._container.reload()
        return self._container.status == "running"

    def kill(self) -> None:
        """SIGKILL to everything in it."""
        with self._changing:
            self._container.kill()
            self._container.wait()
            self.killed += 1

    def renew(self) -> None:
        """Start it again, with a runtime that remembers nothing."""
        with self._changing:
            self._container.restart(timeout=0)
            self._asked = False

    def start(self) -> bool:
        """Start it if it has ended, and wait until it takes connections; whether it is new, or was never asked yet."""
        with self._changing:
            if self.running and self._asked:
                return False
            if not self.running:
                self._container.start()
            self.wait()
            self._asked = True
            return True

    def wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(self.port):
            assert self.running, f"{self.role} ended: {self.logs()[-2000:]}"
            assert time.monotonic() < deadline, f"{self.role} does not answer: {self.logs()[-2000:]}"
            time.sleep(0.05)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It stands still meanwhile: connections are taken, nothing is answered."""
        self._container.pause()
        try:
            yield
        finally:
            self._container.unpause()

    def logs(self) -> str:
        """Everything it said."""
        return self._container.logs().decode()


class Boxes:
    """The containers of one session and the networks between them. Removed at the end."""

    def __init__(self) -> None:
        self._client = docker.from_env()
        self._prefix = f"{LABEL}-{uuid4().hex[:8]}"
        self._networks: dict[str, Network] = {}
        self._boxes: dict[str, Box] = {}
        self._containers: list[Container] = []
        self._volumes: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for container in self._containers:
            container.remove(force=True, v=True)
        for network in self._networks.values():
            network.remove()
        for volume in self._volumes:
            self._client.volumes.get(volume).remove(force=True)
        self._client.close()

    def __getitem__(self, role: str) -> Box:
        return self._boxes[role]

    def __iter__(self) -> Iterator[Box]:
        return iter(self._boxes.values())

    @property
    def killed(self) -> int:
        """Containers killed so far."""
        return sum(box.killed for box in self._boxes.values())

    def add(self, wanted: Wanted) -> Box:
        """Start a container as compose.yaml shuts it in, and wait until it listens."""
        port = _free_port()
        front = self._network(f"front-{wanted.role}", internal=False)
        container = self._client.containers.create(
            wanted.image,
            list(wanted.command) or None,
            name=f"{self._prefix}-{wanted.role}",
            environment=dict(wanted.environment),
            labels={LABEL: self._prefix},
            ports={f"{wanted.port}/tcp": ("127.0.0.1", port)},
            network=front.name,
            volumes=[f"{self._volume(name)}:{inside}" for name, inside in wanted.volumes.items()],
            read_only=True,
            user="65532:65532",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            pids_limit=256,
            tmpfs={"/tmp": "size=512m,mode=1777"},
            mem_limit=wanted.memory,
        )
        self._containers.append(container)
        for name in wanted.networks:
            self._network(name).connect(container, aliases=[wanted.role])
        container.start()
        box = Box(container, wanted.role, port)
        self._boxes[wanted.role] = box
        box.wait()
        return box

    @contextmanager
    def cut(self, role: str, network: str) -> Iterator[None]:
        """The container is not in the network meanwhile; it can still be asked from outside."""
        container, cable = self._boxes[role]._container, self._networks[network]
        cable.disconnect(container, force=True)
        try:
            yield
        finally:
            cable.connect(container, aliases=[role])

    def _network(self, name: str, *, internal: bool = True) -> Network:
        """A network of this session. A port is published through the one that is not internal, and so survives cuts."""
        if name not in self._networks:
            made = self._client.networks.create(f"{self._prefix}-{name}", driver="bridge", internal=internal)
            self._networks[name] = made
        return self._networks[name]

    def _volume(self, name: str) -> str:
        """A volume of this session, or a file of this machine."""
        if Path(name).is_absolute():
            return name
        volume = f"{self._prefix}-{name}"
        if volume not in self._volumes:
            self._client.volumes.create(volume)
            self._volumes.add(volume)
        return volume


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    """Whether it takes a connection and keeps it: Docker's own proxy takes one before the container listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(0.2)
            return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False
