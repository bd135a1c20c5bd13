"""The deployment's tools. `python -m deploy --help`; `make` calls it."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from deploy.calls import read_cloudtrail, read_recording
from deploy.expand import expand
from deploy.review import BY_AWS, Review, review
from deploy.sample import sample_parameters
from deploy.template import TemplateError

RECORDING = Path(".alchemiser/aws-calls.json")


def main() -> int:
    """Exit codes: 0 done, 1 the check found something, 2 wrong arguments or files."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments))
    except TemplateError as error:
        sys.stderr.write(f"{arguments.command}: {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    iam = commands.add_parser("iam-review", help="compare each role's policy with the calls that were made under it")
    source = iam.add_mutually_exclusive_group()
    source.add_argument(
        "--calls", type=Path, default=RECORDING, help="calls recorded by the tests (default: %(default)s)"
    )
    source.add_argument("--cloudtrail", type=Path, help="an export of CloudTrail's events ({'Records': […]})")
    iam.add_argument(
        "--phase", default="cutover", help="with --cloudtrail: the phase of the stack (default: %(default)s)"
    )
    iam.set_defaults(run=_iam_review)
    return parser


def _iam_review(arguments: argparse.Namespace) -> int:
    if arguments.cloudtrail:
        stack, calls = expand(sample_parameters(RolloutPhase=arguments.phase)), read_cloudtrail(arguments.cloudtrail)
    else:
        recording = read_recording(arguments.calls)
        stack, calls = expand(recording.parameters), list(recording.calls)
    roles = [role for role in stack.of_type("AWS::IAM::Role") if role != "SchedulerRole"]
    results = [review(stack, role, calls, by_action=bool(arguments.cloudtrail)) for role in roles]
    for result in results:
        _show(result)
    print("\ncalls by role and action:")
    for (role, action), count in sorted(Counter((call.role, call.request.action) for call in calls).items()):
        print(f"  {role:13} {action:30} {count:4}")
    print("\nnot expected in the calls of the code:")
    for (sid, action), why in BY_AWS.items():
        print(f"  {sid}: {action} ({why})")
    return 0 if all(result.clean for result in results) else 1


def _show(result: Review) -> None:
    verdict = "exactly what it uses" if result.clean else "DOES NOT FIT"
    print(f"{result.role}: {result.calls} calls, {verdict}")
    for request in result.missing:
        keys = ", ".join(key for values in request.context.values() for key in values)
        print(f"  used, not granted: {request.action} on {request.resource} {keys}")
    for grant in result.unused:
        print(f"  granted, not used: {grant}")


if __name__ == "__main__":
    sys.exit(main())
