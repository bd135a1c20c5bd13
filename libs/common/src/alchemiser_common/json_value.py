"""JSON as Python has it."""

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""Whatever `json.loads` may give."""
