"""Changes a JSON answer as a rule's operations say. Pure: the answer given in is not touched."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import JsonValue

from alchemiser_simulator.control.lies import Operation

type _Container = list[JsonValue] | dict[str, JsonValue]
type _Place = tuple[_Container, str | int]


def patched(answer: JsonValue, operations: Iterable[Operation]) -> tuple[JsonValue, bool]:
    """The answer after all operations in their order, and whether any of them found its place."""
    holder: list[JsonValue] = [copy.deepcopy(answer)]  # so that the whole answer has a place too
    found = False
    for operation in operations:
        places = [
            place
            for place in _places(holder, ("0", *operation.parts), adding=operation.do in {"set", "copy"})
            if _wanted(place, operation)
        ]
        # From the last: what is taken out of a list moves those behind it.
        for container, key in reversed(places):
            found = _change(container, key, operation) or found
    return holder[0], found


def _places(container: _Container, parts: tuple[str, ...], *, adding: bool) -> Iterator[_Place]:
    first, rest = parts[0], parts[1:]
    for key in _keys(container, first, adding=adding and not rest):
        if not rest:
            yield container, key
            continue
        child = _get(container, key)
        if isinstance(child, list | dict):
            yield from _places(child, rest, adding=adding)


def _keys(container: _Container, part: str, *, adding: bool) -> list[str | int]:
    if isinstance(container, dict):
        if part == "*":
            return list(container)
        return [part] if adding or part in container else []
    if part == "*":
        return list(range(len(container)))
    try:
        number = int(part)
    except ValueError:
        return []
    return [number] if -len(container) <= number < len(container) else []


def _get(container: _Container, key: str | int) -> JsonValue:
    if isinstance(container, dict):
        return container.get(str(key))
    return container[int(key)]


def _put(container: _Container, key: str | int, value: JsonValue) -> None:
    if isinstance(container, dict):
        container[str(key)] = value
    else:
        container[int(key)] = value


def _wanted(place: _Place, operation: Operation) -> bool:
    container, key = place
    value = _get(container, key)
    element = value if isinstance(value, dict) else container
    if not operation.where:
        return True
    return isinstance(element, dict) and all(
        name in element and element[name] == wanted for name, wanted in operation.where.items()
    )


def _change(container: _Container, key: str | int, operation: Operation) -> bool:
    """Whether the operation could be done at that place."""
    value = _get(container, key)
    match operation.do:
        case "set":
            _put(container, key, copy.deepcopy(operation.value))
        case "remove" if isinstance(container, dict):
            del container[str(key)]
        case "remove" if isinstance(container, list):
            del container[int(key)]
        case "append" if isinstance(value, list):
            value.append(copy.deepcopy(operation.value))
        case "multiply" if (scaled := _times(value, operation.number)) is not None:
            _put(container, key, scaled)
        case "copy" if isinstance(container, dict) and operation.source in container:
            source = container[operation.source]
            if operation.value is not None and (source := _times(source, operation.number)) is None:
                return False
            _put(container, key, source)
        case "shift" if isinstance(value, str) and (moved := _moved(value, operation.number)) is not None:
            _put(container, key, moved)
        case _:
            return False
    return True


def _times(value: JsonValue, factor: Decimal) -> JsonValue:
    """A number times the factor, as text if it was text; None for what is no number, or becomes too large for one."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    try:
        product = (Decimal(str(value)) * factor).normalize()
    except ArithmeticError:
        return None
    if isinstance(value, str):
        return f"{product:f}"
    number = float(product)
    return number if math.isfinite(number) else None


def _moved(text: str, seconds: Decimal) -> str | None:
    """A time so many seconds later; None for what is no time, or leaves the years that a time can have."""
    try:
        moved = datetime.fromisoformat(text) + timedelta(seconds=float(seconds))
    except (ValueError, OverflowError):
        return None
    return moved.isoformat().replace("+00:00", "Z")
