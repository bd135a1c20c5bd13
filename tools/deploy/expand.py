"""The SAM template as the stack that one set of parameters gives: plain resources, nothing conditional left.

SAM's own translator expands it; parameters, mappings, conditions and references to names are then resolved as
CloudFormation would. An intrinsic or a type that is not known here is an error, never passed over.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "template.yaml"
REGISTRY = ROOT / "deploy" / "registry.yaml"

type Json = str | int | float | bool | None | list[Json] | dict[str, Json]

_NO_VALUE = object()


class TemplateError(Exception):
    """Raised when a template holds what this reader does not know, or a parameter breaks its rule."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is made."""

    account: str = "123456789012"
    region: str = "us-east-1"
    partition: str = "aws"
    stack: str = "alchemiser-test"


@dataclass(frozen=True, slots=True)
class Stack:
    """Resources by logical id, with what `Ref` and `Fn::GetAtt` among them come to where that is known."""

    resources: Mapping[str, Mapping[str, Json]]
    outputs: Mapping[str, Json]
    parameters: Mapping[str, Json]
    place: Place = field(default_factory=Place)

    def of_type(self, kind: str) -> dict[str, Mapping[str, Json]]:
        """Properties of the resources of one type."""
        return {name: properties(resource) for name, resource in self.resources.items() if resource["Type"] == kind}


def properties(resource: Mapping[str, Json]) -> Mapping[str, Json]:
    """A resource's properties."""
    found = resource.get("Properties", {})
    if not isinstance(found, dict):
        raise TemplateError(f"Properties of a {resource.get('Type')} are no mapping")
    return found


def expand(parameters: Mapping[str, str], *, place: Place | None = None, template: Path = TEMPLATE) -> Stack:
    """The stack that `parameters` give. Raises TemplateError."""
    where = place or Place()
    source = load(template)
    given = _parameters(source, parameters)
    if source.get("Transform"):
        source = _translate(source, {**given, "AWS::Region": where.region, "AWS::Partition": where.partition})
    return _Resolver(source, given, where).stack()


def load(path: Path) -> dict[str, Json]:
    """A template with its short tags (!Ref, !Sub, …) as long ones."""
    content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  (a SafeLoader)
    if not isinstance(content, dict):
        raise TemplateError(f"{path} is no template")
    return content


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's tags."""


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    value: Json
    if isinstance(node, yaml.ScalarNode):
        value = str(loader.construct_scalar(node))
        if suffix == "GetAtt":
            value = list(value.split(".", 1))
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)  # type: ignore[no-untyped-call]


def _parameters(source: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, Json]:
    """Defaults and given values, held to the template's own rules. Raises TemplateError."""
    import re

    declared = source.get("Parameters") or {}
    assert isinstance(declared, dict)
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"parameter {unknown[0]} is not in the template; it knows {', '.join(sorted(declared))}")
    values: dict[str, Json] = {}
    for name, rule in declared.items():
        assert isinstance(rule, dict)
        value = given.get(name, rule.get("Default"))
        if value is None:
            raise TemplateError(f"parameter {name} is missing: {rule.get('Description', 'it has no default')}")
        allowed, pattern = rule.get("AllowedValues"), rule.get("AllowedPattern")
        if isinstance(allowed, list) and str(value) not in {str(item) for item in allowed}:
            raise TemplateError(f"parameter {name} is {value!r}; it may be {', '.join(str(item) for item in allowed)}")
        if isinstance(pattern, str) and not re.fullmatch(pattern, str(value)):
            raise TemplateError(f"parameter {name} is {value!r}; it must look like {pattern}")
        values[name] = str(value)
    return values


def _translate(source: dict[str, Json], parameters: Mapping[str, Json]) -> dict[str, Json]:
    os.environ.setdefault("AWS_DEFAULT_REGION", str(parameters["AWS::Region"]))
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    try:
        translated = Translator({}, Parser()).translate(source, dict(parameters))
    except Exception as error:
        raise TemplateError(f"SAM does not take the template: {getattr(error, 'causes', None) or error}") from error
    assert isinstance(translated, dict)
    return translated


def _typed(rule: Json, value: Json) -> Json:
    return int(str(value)) if isinstance(rule, dict) and rule.get("Type") == "Number" else value


class _Resolver:
    """Resolves one translated template."""

    def __init__(self, template: Mapping[str, Json], parameters: Mapping[str, Json], place: Place) -> None:
        self._template = template
        self._place = place
        declared = template.get("Parameters") or {}
        assert isinstance(declared, dict)
        self._names: dict[str, Json] = {
            **{name: _typed(declared[name], value) for name, value in parameters.items()},
            "AWS::AccountId": place.account,
            "AWS::Region": place.region,
            "AWS::Partition": place.partition,
            "AWS::StackName": place.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._conditions: dict[str, bool] = {}

    def stack(self) -> Stack:
        """Everything whose condition holds."""
        kept = {
            name: resource
            for name, resource in self._section("Resources").items()
            if isinstance(resource, dict) and self._wanted(resource)
        }
        resources: dict[str, Mapping[str, Json]] = {}
        self._kept = kept
        for name, resource in kept.items():
            bare = {key: value for key, value in resource.items() if key != "Condition"}
            resolved = self.resolve(bare)
            assert isinstance(resolved, dict)
            resources[name] = resolved
        outputs = {
            name: self.resolve(output["Value"])
            for name, output in self._section("Outputs").items()
            if isinstance(output, dict) and self._wanted(output)
        }
        parameters = {name: value for name, value in self._names.items() if not name.startswith("AWS::")}
        return Stack(resources, outputs, parameters, self._place)

    def _section(self, name: str) -> dict[str, Json]:
        found = self._template.get(name) or {}
        assert isinstance(found, dict)
        return found

    def _wanted(self, item: Mapping[str, Json]) -> bool:
        name = item.get("Condition")
        return name is None or self._condition(str(name))

    def _condition(self, name: str) -> bool:
        if name not in self._conditions:
            conditions = self._section("Conditions")
            if name not in conditions:
                raise TemplateError(f"condition {name} is not defined")
            self._conditions[name] = self._holds(conditions[name])
        return self._conditions[name]

    def _holds(self, test: Json) -> bool:
        match test:
            case {"Condition": str(name)}:
                return self._condition(name)
            case {"Fn::Equals": [left, right]}:
                return str(self.resolve(left)) == str(self.resolve(right))
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::And": [*parts]}:
                return all(self._holds(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self._holds(part) for part in parts)
        raise TemplateError(f"condition {test} is not understood")

    def resolve(self, value: Json) -> Json:
        """A value with its intrinsics worked out."""
        found = self._resolve(value)
        return None if found is _NO_VALUE else found  # type: ignore[return-value]

    def _resolve(self, value: Json) -> object:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NO_VALUE
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._attribute(name, attribute)
            case {"Fn::Sub": str(text)}:
                return self._substitute(text)
            case {"Fn::Sub": [str(text), dict(own)]}:
                return self._substitute(text, {key: self.resolve(item) for key, item in own.items()})
            case {"Fn::If": [str(name), yes, no]}:
                return self._resolve(yes if self._condition(name) else no)
            case {"Fn::FindInMap": [name, first, second]}:
                table = self._section("Mappings")
                for key in (name, first, second):
                    table = table[str(self.resolve(key))]  # type: ignore[assignment]
                return table
            case {"Fn::Join": [str(separator), [*parts]]}:
                return separator.join(str(self.resolve(part)) for part in parts)
            case dict():
                strange = [key for key in value if key.startswith("Fn::")]
                if strange:
                    raise TemplateError(f"intrinsic {strange[0]} is not understood: {value}")
                resolved = {key: self._resolve(item) for key, item in value.items()}
                return {key: item for key, item in resolved.items() if item is not _NO_VALUE}
            case list():
                return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        return value

    def _substitute(self, text: str, own: Mapping[str, Json] | None = None) -> str:
        import re

        def replace(match: "re.Match[str]") -> str:
            name = match[1]
            if own and name in own:
                return str(own[name])
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", replace, text)

    def _ref(self, name: str) -> Json:
        if name in self._names:
            return self._names[name]
        kind, physical, _ = self._identify(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self._place.region}.amazonaws.com/{self._place.account}/{physical}"
        if kind in {"AWS::Lambda::Alias", "AWS::SNS::Topic"}:
            return self._arn(name)
        return physical

    def _attribute(self, name: str, attribute: str) -> Json:
        kind, physical, _ = self._identify(name)
        if attribute == "Arn":
            return self._arn(name) + (":*" if kind == "AWS::Logs::LogGroup" else "")
        if attribute in {"QueueName", "Name", "TopicName"}:
            return physical
        if kind == "AWS::Lambda::Version" and attribute == "Version":
            return f"<version of {name}>"
        raise TemplateError(f"Fn::GetAtt {name}.{attribute} is not understood")

    def _arn(self, name: str) -> str:
        kind, physical, own = self._identify(name)
        place, prefix = self._place, f"arn:{self._place.partition}"
        where = f"{place.region}:{place.account}"
        match kind:
            case "AWS::S3::Bucket":
                return f"{prefix}:s3:::{physical}"
            case "AWS::IAM::Role":
                return f"{prefix}:iam::{place.account}:role/{physical}"
            case "AWS::DynamoDB::Table":
                return f"{prefix}:dynamodb:{where}:table/{physical}"
            case "AWS::SQS::Queue":
                return f"{prefix}:sqs:{where}:{physical}"
            case "AWS::SNS::Topic":
                return f"{prefix}:sns:{where}:{physical}"
            case "AWS::Events::EventBus":
                return f"{prefix}:events:{where}:event-bus/{physical}"
            case "AWS::Logs::LogGroup":
                return f"{prefix}:logs:{where}:log-group:{physical}"
            case "AWS::Lambda::Function":
                return f"{prefix}:lambda:{where}:function:{physical}"
            case "AWS::Lambda::Alias":
                function = self.resolve(own["FunctionName"])
                return f"{prefix}:lambda:{where}:function:{function}:{physical}"
        raise TemplateError(f"the ARN of {name}, a {kind}, is not known here")

    def _identify(self, name: str) -> tuple[str, str, Mapping[str, Json]]:
        """Type, physical name and properties of a resource that is there."""
        resource = self._kept.get(name)
        if resource is None:
            raise TemplateError(f"{name} is referred to, but is not there under these parameters")
        own, kind = properties(resource), str(resource["Type"])
        named = next((own[key] for key in _NAME_KEYS if key in own), None)
        return kind, str(self.resolve(named)) if named is not None else f"{self._place.stack}-{name}", own


_NAME_KEYS: Sequence[str] = (
    "TableName", "BucketName", "QueueName", "TopicName", "RoleName", "LogGroupName", "ArchiveName", "AlarmName",
    "DashboardName", "Name", "FunctionName",
)  # fmt: skip
"""Where a type says its physical name; an alias has both Name and FunctionName, and is named by the first."""
