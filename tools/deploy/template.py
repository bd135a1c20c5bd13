"""The project's own templates; reading them is the command's part."""

from pathlib import Path

from alchemiser_cli.stage.template import (
    TemplateError,
    load,
    mapping,
    parameter_values,
    section,
    sequence,
)

__all__ = [
    "REGISTRY", "ROOT", "TEMPLATE", "TemplateError", "load", "mapping", "parameter_values", "section",
    "sequence",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "template.yaml"
REGISTRY = ROOT / "deploy" / "registry.yaml"
