"""Reads a CloudFormation or SAM template: short tags as long ones, parameters held to their rules."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.json_value import Json


class TemplateError(InvalidSettings):
    """Raised when a template holds what this reader does not know, or a parameter breaks its rule."""


def mapping(value: Json, what: str) -> dict[str, Json]:
    """The value as a mapping. Raises TemplateError naming `what`."""
    if not isinstance(value, dict):
        raise TemplateError(f"{what} is no mapping: {value!r}")
    return value


def sequence(value: Json, what: str) -> list[Json]:
    """The value as a list. Raises TemplateError naming `what`."""
    if not isinstance(value, list):
        raise TemplateError(f"{what} is no list: {value!r}")
    return value


def section(template: Mapping[str, Json], name: str) -> dict[str, Json]:
    """A section of a template; empty if it has none."""
    return mapping(template.get(name) or {}, name)


def load(path: Path) -> dict[str, Json]:
    """A template with its short tags (!Ref, !Sub, …) as long ones."""
    return mapping(yaml.load(path.read_text(encoding="utf-8"), _Loader), str(path))  # noqa: S506  (a SafeLoader)


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's tags; libyaml's, which is ten times as fast and in every wheel of PyYAML."""


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = str(loader.construct_scalar(node))
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TemplateError(f"tag !{suffix} on a mapping is not understood")
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def parameter_values(template: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, str]:
    """Defaults and given values, held to the template's own rules. Raises TemplateError."""
    declared = section(template, "Parameters")
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"parameter {unknown[0]} is not in the template; it knows {', '.join(sorted(declared))}")
    return {name: _parameter(name, mapping(rule, name), given.get(name)) for name, rule in declared.items()}


def _parameter(name: str, rule: Mapping[str, Json], given: str | None) -> str:
    value = rule.get("Default") if given is None else given
    if value is None:
        raise TemplateError(f"parameter {name} is missing: {rule.get('Description', 'it has no default')}")
    allowed, pattern = rule.get("AllowedValues"), rule.get("AllowedPattern")
    if isinstance(allowed, list) and value not in allowed:
        raise TemplateError(f"parameter {name} is {value!r}; it may be {', '.join(str(item) for item in allowed)}")
    if isinstance(pattern, str) and not re.fullmatch(pattern, str(value)):
        # A parameter that names a secret may have been given the secret itself.
        shown = f"{len(str(value))} characters" if "Secret" in name else repr(value)
        raise TemplateError(f"parameter {name} is {shown}; it must look like {pattern}")
    return str(value)
