"""SAM's translator as a process, run by the Python of tools/sam.sh: its pins of pydantic and botocore are not ours.

In: lines of JSON, each {"template": …, "parameters": {name: text}}. Out: for each a line, {"template": …} as SAM
translates it, or {"error": text}. Ends with its input.
"""

import json
import logging
import sys

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def main() -> None:
    """Answer until the input ends."""
    logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)  # that nobody asked for its own metrics
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"template": Translator({}, Parser()).translate(asked["template"], asked["parameters"])}
        except Exception as error:  # noqa: BLE001  (whatever SAM has against a template is the answer)
            answer = {"error": str(getattr(error, "causes", None) or error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
