"""Build step: take out of a folder of installed packages what no Lambda start will ever read.

python3 prune.py FOLDER AWS-SERVICE...   (standard library only: it runs in the bare base image)
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

EVERYWHERE = (
    "**/tests",  # the packages' own tests
    "**/*.pyi",  # types, C headers and sources are for compilers
    "**/*.pxd",
    "**/*.pyx",
    "**/*.c",
    "**/*.h",
    "**/*.hpp",
    "**/*.a",
    "**/__pycache__",  # compiled again afterwards, in one way
    "*.dist-info/RECORD",  # a list of files that is no longer true; METADATA and licences stay
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "bin",  # commands
)
UNUSED = (
    "aws_lambda_powertools/event_handler",  # routing for HTTP APIs, with a web page's scripts
    "numpy/f2py",  # calls Fortran compilers
    "numpy/_pyinstaller",
)
BOTOCORE_COMMON = frozenset({"endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"})


def unwanted(folder: Path, aws_services: frozenset[str]) -> Iterator[Path]:
    """Files and folders to remove. Raises ValueError if an AWS service is unknown to the installed botocore."""
    for pattern in EVERYWHERE:
        yield from folder.glob(pattern)
    for name in UNUSED:
        yield folder / name
    models = folder / "botocore" / "data"
    if missing := sorted(name for name in aws_services if not (models / name).is_dir()):
        raise ValueError(f"AWS services unknown to botocore: {', '.join(missing)}")
    for model in models.iterdir() if models.is_dir() else ():
        if model.name not in aws_services and model.name.removesuffix(".gz") not in BOTOCORE_COMMON:
            yield model


def size(folder: Path) -> tuple[int, int]:
    """Number of files and bytes in them."""
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(files)


def prune(folder: Path, aws_services: frozenset[str]) -> None:
    """Remove what is unwanted."""
    for path in list(unwanted(folder, aws_services)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def main() -> None:
    """See the module's first lines."""
    folder, aws_services = Path(sys.argv[1]), frozenset(sys.argv[2:])
    files, bytes_ = size(folder)
    prune(folder, aws_services)
    left, left_bytes = size(folder)
    sys.stdout.write(f"pruned {files} files, {bytes_ / 1e6:.1f} MB to {left} files, {left_bytes / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
