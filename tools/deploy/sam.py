"""SAM's translation of a template. The translator runs in an environment and a process of its own (sam_process.py)."""

import atexit
import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, cast

from alchemiser_cli.stage.template import TemplateError, mapping
from alchemiser_common.json_value import Json

_TOOLS = Path(__file__).resolve().parents[1]


def translate(template: Mapping[str, Json], parameters: Mapping[str, str], region: str) -> dict[str, Json]:
    """What SAM makes of the template. Raises TemplateError."""
    answer = _translator(region).ask({"template": dict(template), "parameters": {**parameters, "AWS::Region": region}})
    if "error" in answer:
        raise TemplateError(f"SAM does not take the template: {answer['error']}")
    return mapping(answer["template"], "template")


class _Translator:
    """The process, started once for a region: importing SAM's translator takes seconds, a translation a part of one."""

    def __init__(self, region: str) -> None:
        self._one_at_a_time = Lock()
        process = subprocess.Popen(
            [_TOOLS / "sam.sh", "python", "-I", _TOOLS / "deploy" / "sam_process.py"],
            env={"AWS_DEFAULT_REGION": region, **os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # an interrupt is for whoever asks
        )
        self._questions, self._answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        atexit.register(process.communicate)  # it ends with its input

    def ask(self, question: Mapping[str, Json]) -> dict[str, Json]:
        """The answer to one question. Raises TemplateError if the process is gone."""
        with self._one_at_a_time:
            with suppress(BrokenPipeError):  # then it does not answer either
                self._questions.write(json.dumps(question) + "\n")
                self._questions.flush()
            line = self._answers.readline()
        if not line:
            raise TemplateError("SAM's translator does not run; `tools/sam.sh --version` says why")
        return mapping(json.loads(line), "SAM's answer")


_translator = cache(_Translator)
