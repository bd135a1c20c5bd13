"""The template as the stack that one set of parameters gives: plain resources, nothing conditional left."""

from collections.abc import Mapping
from pathlib import Path

from alchemiser_cli.stage.resolver import Place, Resolver, Stack, properties
from deploy.sam import translate
from deploy.template import TEMPLATE, load, parameter_values

__all__ = ["Place", "Stack", "expand", "properties"]


def expand(parameters: Mapping[str, str], *, place: Place | None = None, template: Path = TEMPLATE) -> Stack:
    """The stack that `parameters` give. Raises TemplateError."""
    where, source = place or Place(), load(template)
    values = parameter_values(source, parameters)
    if "Transform" in source:
        source = translate(source, values, where.region)
    return Resolver(source, values, where).stack()
