"""The project's own templates, and SAM's translation of them; reading them is the command's part."""

import os
from collections.abc import Mapping
from pathlib import Path

from alchemiser_cli.stage.template import (
    Json,
    TemplateError,
    load,
    mapping,
    parameter_values,
    section,
    sequence,
)

__all__ = [
    "REGISTRY", "ROOT", "TEMPLATE", "Json", "TemplateError", "load", "mapping", "parameter_values", "section",
    "sequence", "translate",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "template.yaml"
REGISTRY = ROOT / "deploy" / "registry.yaml"


def translate(template: dict[str, Json], parameters: Mapping[str, str], region: str) -> dict[str, Json]:
    """What SAM makes of the template. Raises TemplateError."""
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    try:
        return mapping(Translator({}, Parser()).translate(template, {**parameters, "AWS::Region": region}), "template")
    except Exception as error:
        raise TemplateError(f"SAM does not take the template: {getattr(error, 'causes', None) or error}") from error
