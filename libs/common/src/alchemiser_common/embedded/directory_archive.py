"""The archive as files below a folder, written whole or not at all."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from alchemiser_common.errors import Conflict, StoreUnavailable
from alchemiser_common.ids import check_key
from alchemiser_common.private_files import FILE_MODE, make_private_folder


class DirectoryArchive:
    """Objects under `root`; the key is the relative path. Folders and files are made for their owner only.

    Raises StoreUnavailable for what the file system refuses, ValueError for what is no key (`check_key`).
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, body: bytes) -> None:
        """Store an object, never replacing other content. Raises Conflict if the key holds other content.

        Nobody sees a part of it: it is written under another name, and linking it to its own fails if that is taken.
        """
        path = self._path(key)
        try:
            make_private_folder(path.parent)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
            try:
                with os.fdopen(handle, "wb") as file:
                    os.fchmod(handle, FILE_MODE)
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(name, path)
            except FileExistsError:
                if path.read_bytes() != body:
                    raise Conflict(f"archive key {key} already holds other content") from None
            finally:
                Path(name).unlink()
        except OSError as error:
            raise StoreUnavailable(f"archive folder {self._root}: {error.strerror} ({key})") from error

    def get(self, key: str) -> bytes | None:
        """The object, or None."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"archive folder {self._root}: {error.strerror} ({key})") from error

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys that start with `prefix`, sorted. A folder that cannot be looked into is no empty one."""
        walked = os.walk(self._root, onerror=self._refuse)
        paths = (Path(folder, name) for folder, _, names in walked for name in names if not name.startswith("."))
        found = (path.relative_to(self._root).as_posix() for path in paths if path.is_file())
        return sorted(key for key in found if key.startswith(prefix))

    def _refuse(self, error: OSError) -> None:
        nothing_there = isinstance(error, FileNotFoundError | NotADirectoryError) and not os.path.lexists(self._root)
        if not nothing_there:
            raise StoreUnavailable(f"archive folder {self._root}: {error.strerror} ({error.filename})") from error

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*check_key(key))
