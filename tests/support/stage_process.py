"""moto's server, taught what a deployment of this project needs of AWS: `python stage_process.py PORT`.

- Change sets of a SAM template: CloudFormation's own translation is played by the project's reader of the template.
- Replacement in a change set, which moto never says: a change of a name or a key is one.
- What is to be retained is retained, old versions among it; moto deletes it.
- An invocation reaches the version that it names; moto reads the name of that parameter in lower case.
- A published version keeps its image when the function gets another; in moto they share it.
- Versions are published after the function changed, as CloudFormation's order of dependencies has it; moto adds first.
- An image function runs: its image's manifest says which service and which commit was built, and that service's own
  entry answers in this process. A manifest may say that its process dies: "always", or once it is "live".
- A function reaches this moto for AWS, and for the broker the exchange that STAGE_EXCHANGE names, at its time.
- A manifest's files are the strategies' folder of the image. Probes find a container warm; a run begins in a cold one.
- An image whose manifest names one on this machine is that one, in a container that stays warm and has STAGE_LABEL.
  Then queues feed nobody by themselves (whoever plays Lambda's poller does), requests for state and messages are
  answered one at a time, since moto checks a condition without a lock, and `POST /clock` moves the queues' clock.
- Where STAGE_IMAGES names a registry and prefix, an image function is the real image of its digest, in a container,
  which reaches this moto at STAGE_HOST.
"""

import json
import logging
import os
import sys
import tempfile
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.awslambda.responses import LambdaResponse
from moto.cloudformation import models as cloud
from moto.cloudformation import parsing
from moto.ecr.models import ecr_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import main as serve
from moto.sqs.models import Queue

import support.moto_types as taught
from alchemiser_common.lambda_entry import LambdaEntry
from deploy.expand import Place, expand
from images.docker import docker
from images.emulator import emulator_file
from images.function import running
from images.settings import load
from local.aws_server import MovableClock
from local.functions import Answered, Unreachable
from support.aws import CREDENTIALS
from support.aws_stack import published
from support.warm_containers import WarmContainers

_IDENTITY = {
    "AWS::DynamoDB::Table": ("TableName", "KeySchema"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
}


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 600_000


def _translated(change_set: Any) -> None:
    """The template as CloudFormation makes it, with the parameters beside it so that the stack shows them."""
    source = json.loads(change_set.template)
    if "Transform" not in source:
        change_set.template_dict = source
        return
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(change_set.template)
        file.flush()
        stack = change_set.stack
        place = Place(stack.account_id, stack.region_name, "aws", stack.name)
        given = {name: str(value) for name, value in change_set.parameters.items()}
        made: Any = expand(given, place=place, template=Path(file.name)).body()
    for resource in made["Resources"].values():
        variables = resource["Properties"].get("Environment", {}).get("Variables", {})
        variables.update({name: str(value) for name, value in variables.items()})  # Lambda knows texts only
    change_set.template_dict = {**made, "Parameters": source["Parameters"]}


def _parse(template: str) -> Any:
    """As JSON, which is all that comes: moto's YAML reader takes a second for it."""
    return json.loads(template)


def _diff(change_set: Any) -> list[Any]:
    """moto's own, with the replacements."""
    changes: list[Any] = _plain_diff(change_set)
    before = change_set.stack.resource_map._resource_json_map
    for change in changes:
        if change.action == "Modify":
            old, new = (
                known[change.logical_resource_id]["Properties"]
                for known in (before, change_set.template_dict["Resources"])
            )
            change.replacement = str(
                any(old.get(name) != new.get(name) for name in _IDENTITY.get(change.resource_type, ()))
            )
    return changes


def _apply(change_set: Any) -> None:
    stack, wanted = change_set.stack, change_set.template_dict
    known = stack.resource_map._resource_json_map
    if not stack.template:
        stack.template_dict, stack.parameters = wanted, change_set.parameters
        stack.resource_map = stack._create_resource_map()
        stack.resource_map.create(wanted)
    else:
        late = {name for name in wanted["Resources"] if name not in known and published(wanted["Resources"], name)}
        early = {name: item for name, item in wanted["Resources"].items() if name not in late}
        kept = {name: item for name, item in known.items() if published(known, name)}
        stack.resource_map.update({**wanted, "Resources": {**early, **kept}}, change_set.parameters)
        stack.resource_map.update(wanted, change_set.parameters)
    stack.template_dict, stack.parameters, stack.tags = wanted, change_set.parameters, change_set.tags
    stack.output_map = stack._create_output_map()


def _manifest(function: Any) -> str:
    """Of the function's image."""
    repository, _, digest = str(function.code["ImageUri"]).partition("@")
    ecr = ecr_backends[function.account_id][function.region]
    images = ecr.repositories[repository.partition("/")[2]].images
    (manifest,) = {image.image_manifest for image in images if image.get_image_digest() == digest}
    return str(manifest)


def _run_image(function: Any, event: Any) -> tuple[str, bool, str]:
    repository, _, digest = str(function.code["ImageUri"]).partition("@")
    if place := os.environ.get("STAGE_IMAGES"):
        image = f"{place}/{repository.rpartition('/')[2]}@{digest}"
        return _run_container(image, {**function.environment_vars, **_here(), **CREDENTIALS}, event)
    manifest = _manifest(function)
    built = json.loads(manifest)["annotations"]
    if built.get("image"):
        return _run_warm(function, built, event)
    if built["broken"] == "always" or (built["broken"] == "live" and not function.function_name.endswith("-candidate")):
        return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "process exited"}), True, ""
    kept = json.dumps([manifest, function.environment_vars], sort_keys=True)
    entry = _WARM.get(kept) if "probe" in event else None
    if entry is None:
        entry = _container(built, function.environment_vars)
    if "probe" in event:
        _WARM[kept] = entry
    try:
        return json.dumps(entry(event, _Context())), False, ""
    except Exception as error:  # noqa: BLE001  (Lambda answers with whatever was raised)
        return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}), True, ""


def _container(built: Any, variables: dict[str, str]) -> LambdaEntry:
    """A cold one of the image, with its files."""
    service, sha = built["service"], _sha(built)
    build = getattr(import_module(f"alchemiser_{service}.bootstrap"), f"{service}_function")
    own = _own(built, tempfile.mkdtemp(dir=_FOLDER.name))
    return LambdaEntry(service, build, {**variables, **sha, **_here(), **own})


def _sha(built: Any) -> dict[str, str]:
    return {"ALCHEMISER_GIT_SHA": built["git_sha"]}


def _run_warm(function: Any, built: Any, event: Any) -> tuple[str, bool, str]:
    told = {
        **function.environment_vars,
        **_sha(built),
        **_here(),
        **CREDENTIALS,
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "ALCHEMISER_EXECUTION__DRY_WALK_SECONDS": "0",  # it would move a clock that passes for whoever waits
    }
    timeout = timedelta(seconds=float(function.timeout))
    outcome = _CONTAINERS.invoke(function.function_name, built["image"], told, json.dumps(event).encode(), timeout)
    if isinstance(outcome, Unreachable):
        return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": outcome.reason}), True, ""
    return outcome.text, not isinstance(outcome, Answered), ""


def _warm_up(account: str, region: str) -> None:
    """Every live function's container starts, all at once; whoever asks one meanwhile waits for it."""
    backend = lambda_backends[account][region]
    for name in {function.function_name for function in backend.list_functions()}:
        with suppress(Exception):  # without an alias nothing is live
            live = backend.get_function(name, "live")
            built = json.loads(_manifest(live))["annotations"]
            if built.get("image"):
                Thread(target=_run_warm, args=(live, built, {"probe": "version"}), daemon=True).start()


def _here() -> dict[str, str]:
    """Where AWS and the broker are on this machine."""
    exchange = os.environ.get("STAGE_EXCHANGE")
    broker = {
        "ALCHEMISER_ENVIRONMENT": "simulated",
        "ALCHEMISER_BROKER__TRADING_URL": exchange,
        "ALCHEMISER_BROKER__DATA_URL": exchange,
    }
    own = {"ALCHEMISER_AWS__ENDPOINT_URL": f"http://{os.environ.get('STAGE_HOST', '127.0.0.1')}:{taught._PORT}"}
    return own | {name: value for name, value in broker.items() if exchange and value}


def _own(built: Any, folder: str) -> dict[str, str]:
    """The strategies of an image, as files."""
    files = json.loads(built.get("files", "{}"))
    for name, content in files.items():
        (Path(folder) / name).write_text(content, "utf-8")
    found = {"ALCHEMISER_STRATEGIES__FOLDER": folder} if files else {}
    if "alchemiser.toml" in files:
        found["ALCHEMISER_CONFIG"] = f"{folder}/alchemiser.toml"
    return found


def _run_container(image: str, variables: dict[str, str], event: Any) -> tuple[str, bool, str]:
    docker("image", "pull", image)
    emulator = emulator_file(load(os.environ))
    with running(image, environment=variables, emulator=emulator) as container:
        outcome = container.invoke(json.dumps(event).encode())
    return outcome.text, not isinstance(outcome, Answered), ""


def _delete(resources: Any, resource: Any, definition: Any) -> None:
    if definition.get("DeletionPolicy") != "Retain":
        _plain_delete(resources, resource, definition)


def _update_code(function: Any, update: Any) -> Any:
    function.code = dict(function.code)
    return _plain_update_code(function, update)


def _get_param(response: Any, name: str, default: Any = None) -> Any:
    return _plain_get_param(response, "Qualifier" if name == "qualifier" else name, default)


def _serially(application: Any, environ: Any, start: Any) -> Any:
    if environ["PATH_INFO"] == "/clock":
        _CLOCK.advance(float(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start("204 No Content", [])
        return []
    if str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith(("DynamoDB", "AmazonSQS")):
        with _ONE_AT_A_TIME:
            return _plain_call(application, environ, start)
    return _plain_call(application, environ, start)


def _apply_and_warm_up(change_set: Any) -> None:
    _apply(change_set)
    _warm_up(change_set.stack.account_id, change_set.stack.region_name)


def _teach_containers() -> None:
    cloud.ChangeSet.apply = _apply_and_warm_up  # type: ignore[method-assign,assignment]
    DomainDispatcherApplication.__call__ = _serially  # type: ignore[method-assign,assignment]
    Queue.lambda_event_source_mappings = property(lambda _: {}, lambda _, __: None)  # type: ignore[assignment]


def _teach() -> None:
    taught_methods: list[tuple[Any, str, Any]] = [
        (LambdaResponse, "_get_param", _get_param),
        (LambdaFunction, "update_function_code", _update_code),
        (LambdaFunction, "_invoke_lambda", _run_image),
        (parsing.ResourceMap, "_delete_resource", _delete),
        (cloud.ChangeSet, "_parse_template", _translated),
        (cloud.ChangeSet, "diff", _diff),
        (cloud.ChangeSet, "apply", _apply),
        (cloud.Stack, "parse_template", staticmethod(_parse)),
    ]
    for kind, name, method in taught_methods:
        setattr(kind, name, method)


_CONTAINERS = WarmContainers(os.environ.get("STAGE_LABEL", ""))
_CLOCK = MovableClock()
_ONE_AT_A_TIME = Lock()
_plain_call: Any = DomainDispatcherApplication.__call__
_WARM: dict[str, LambdaEntry] = {}
_FOLDER = tempfile.TemporaryDirectory()
_plain_get_param = LambdaResponse._get_param
_plain_update_code = LambdaFunction.update_function_code
_plain_delete = parsing.ResourceMap._delete_resource
_plain_diff: Any = cloud.ChangeSet.diff

if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _teach()
    if os.environ.get("STAGE_LABEL"):
        _teach_containers()
    taught._PORT = int(sys.argv[1])
    serve(["-H", os.environ.get("STAGE_HOST", "127.0.0.1"), "-p", sys.argv[1]])
