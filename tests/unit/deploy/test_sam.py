"""SAM's translator works in a process of its own: its refusals come back as errors, and it goes on after one."""

from pathlib import Path

import pytest

from deploy.expand import expand
from deploy.template import TemplateError

FUNCTION = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Strategy:
    Type: AWS::Serverless::Function
    Properties: {package}
"""


def test_what_sam_does_not_take_is_told_and_the_next_template_is_translated(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(FUNCTION.replace("{package}", "{PackageType: Image, Tier: gold}"))
    with pytest.raises(TemplateError, match=r"SAM does not take the template: .*Strategy.*Tier"):
        expand({}, template=template)
    template.write_text(FUNCTION.replace("{package}", "{PackageType: Image, ImageUri: strategy, FunctionName: it}"))
    assert set(expand({}, template=template).resources) == {"Strategy", "StrategyRole"}
