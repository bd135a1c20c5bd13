"""A template with its parameters put in: conditions, references and names resolved as CloudFormation would.

An intrinsic or a type that is not known here is an error, never passed over.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from alchemiser_cli.stage.template import TemplateError, mapping, section, sequence
from alchemiser_common.json_value import Json


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is made."""

    account: str = "123456789012"
    region: str = "us-east-1"
    partition: str = "aws"
    stack: str = "alchemiser-test"


@dataclass(frozen=True, slots=True)
class Stack:
    """Resources and outputs by logical id, and the parameters they come from."""

    resources: Mapping[str, Mapping[str, Json]]
    outputs: Mapping[str, Json]
    parameters: Mapping[str, str]
    place: Place = field(default_factory=Place)

    def of_type(self, kind: str) -> dict[str, dict[str, Json]]:
        """Properties of the resources of one type."""
        return {name: properties(item) for name, item in self.resources.items() if item["Type"] == kind}

    def body(self) -> dict[str, Json]:
        """A template that makes this stack and no other."""
        resources: dict[str, Json] = {name: dict(item) for name, item in self.resources.items()}
        return {
            "Parameters": {name: {"Type": "String", "Default": value} for name, value in self.parameters.items()},
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in self.outputs.items()},
        }


def properties(resource: Mapping[str, Json]) -> dict[str, Json]:
    """A resource's properties."""
    return mapping(resource.get("Properties", {}), f"Properties of a {resource.get('Type')}")


_PHYSICAL_NAMES = (
    "TableName", "BucketName", "QueueName", "TopicName", "RoleName", "RepositoryName", "LogGroupName", "ArchiveName",
    "AlarmName", "DashboardName", "Name", "FunctionName",
)  # fmt: skip
"""Where a type says its physical name; an alias has both Name and FunctionName, and is named by the first."""

_ARNS = {
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::Alias": "lambda:{region}:{account}:function:{function}:{name}",
}
_REF_IS_ARN = frozenset({"AWS::Lambda::Alias", "AWS::SNS::Topic"})
_SETTLED = frozenset({"Condition", "Metadata", "DependsOn"})
_NO_VALUE = object()


# Two steps, since a reference needs to know what is there:
#   1. __init__ keeps the resources whose Condition holds under the parameters.
#   2. stack() resolves each kept one, top down: a mapping with a single key that is an intrinsic becomes its value,
#      Fn::If picks one branch before anything in the other is looked at (it may name what is not there), and whatever
#      becomes AWS::NoValue is left out of the list or mapping around it.
# Every name that a resource refers to on the way is noted in _used. CloudFormation orders creation by references; here
# they have become plain text, so the order has to be said again as DependsOn.
class Resolver:
    """Resolves one translated template."""

    def __init__(self, template: Mapping[str, Json], parameters: Mapping[str, str], place: Place) -> None:
        self._template = template
        self._parameters = parameters
        self._place = place
        self._names: dict[str, Json] = {
            **{name: self._typed(name, value) for name, value in parameters.items()},
            "AWS::AccountId": place.account,
            "AWS::Region": place.region,
            "AWS::Partition": place.partition,
            "AWS::StackName": place.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._kept = {
            name: mapping(item, name)
            for name, item in section(template, "Resources").items()
            if self._wanted(mapping(item, name))
        }
        self._used: set[str] = set()
        self._functions: Mapping[str, Callable[[Json], object]] = {
            "Ref": lambda argument: self._ref(str(argument)),
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
        }

    def stack(self) -> Stack:
        """Everything whose condition holds."""
        resources: dict[str, Mapping[str, Json]] = {}
        for name, item in self._kept.items():
            bare: Json = {key: value for key, value in item.items() if key not in _SETTLED}
            self._used.clear()
            resolved = mapping(self.resolve(bare), name)
            if self._used:
                resolved["DependsOn"] = [*sorted(self._used)]
            resources[name] = resolved
        wanted = {name: mapping(item, name) for name, item in section(self._template, "Outputs").items()}
        outputs = {name: self.resolve(item["Value"]) for name, item in wanted.items() if self._wanted(item)}
        return Stack(resources, outputs, self._parameters, self._place)

    def resolve(self, value: Json) -> Json:
        """A value with its intrinsics worked out."""
        found = self._resolve(value)
        return None if found is _NO_VALUE else found  # type: ignore[return-value]

    def _resolve(self, value: Json) -> object:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (name := next(iter(value))) in self._functions:
            return self._functions[name](value[name])
        strange = [key for key in value if key.startswith("Fn::")]
        if strange:
            raise TemplateError(f"intrinsic {strange[0]} is not understood: {value}")
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _typed(self, name: str, value: str) -> Json:
        rule = mapping(section(self._template, "Parameters")[name], name)
        return int(value) if rule["Type"] == "Number" else value

    def _wanted(self, item: Mapping[str, Json]) -> bool:
        return "Condition" not in item or self._condition(str(item["Condition"]))

    def _condition(self, name: str) -> bool:
        conditions = section(self._template, "Conditions")
        if name not in conditions:
            raise TemplateError(f"condition {name} is not defined")
        return self._holds(conditions[name])

    def _holds(self, test: Json) -> bool:
        match test:
            case {"Condition": str(name)}:
                return self._condition(name)
            case {"Fn::Equals": [{"Ref": str(name)}, str(right)]}:
                return self._parameters[name] == right
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::And": [*parts]}:
                return all(self._holds(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self._holds(part) for part in parts)
        raise TemplateError(f"condition {test} is not understood")

    def _if(self, argument: Json) -> object:
        name, yes, no = sequence(argument, "Fn::If")
        return self._resolve(yes if self._condition(str(name)) else no)

    def _find_in_map(self, argument: Json) -> Json:
        table: Json = section(self._template, "Mappings")
        for key in sequence(argument, "Fn::FindInMap"):
            table = mapping(table, "Mappings")[str(key)]
        return table

    def _sub(self, argument: Json) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else sequence(argument, "Fn::Sub")
        given = {name: self.resolve(value) for name, value in mapping(own, "Fn::Sub").items()}

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name in given:
                return str(given[name])
            return str(self._get_att([*name.split(".", 1)]) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, str(text))

    def _ref(self, name: str) -> object:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._names:
            return self._names[name]
        kind, physical = self._identify(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self._place.region}.amazonaws.com/{self._place.account}/{physical}"
        return self._arn(name) if kind in _REF_IS_ARN else physical

    def _get_att(self, argument: Json) -> Json:
        name, attribute = (str(part) for part in sequence(argument, "Fn::GetAtt"))
        as_it_is: Json = {"Fn::GetAtt": argument}
        kind, physical = self._identify(name)
        if (kind, attribute) == ("AWS::IAM::Role", "Arn"):
            return as_it_is  # CloudFormation names roles
        if attribute == "Arn":
            return self._arn(name)
        if attribute == "QueueName":
            return physical
        if (kind, attribute) == ("AWS::Lambda::Version", "Version"):
            return as_it_is  # only known once it is published
        raise TemplateError(f"Fn::GetAtt {name}.{attribute} is not understood")

    def _arn(self, name: str) -> str:
        kind, physical = self._identify(name)
        if kind not in _ARNS:
            raise TemplateError(f"the ARN of {name}, a {kind}, is not known here")
        function = self.resolve(properties(self._kept[name]).get("FunctionName"))
        place = self._place
        rest = _ARNS[kind].format(name=physical, account=place.account, region=place.region, function=function)
        return f"arn:{place.partition}:{rest}"

    def _identify(self, name: str) -> tuple[str, str]:
        """Type and physical name of a resource that is there."""
        item = self._kept.get(name)
        if item is None:
            raise TemplateError(f"{name} is referred to, but is not there under these parameters")
        self._used.add(name)
        own = properties(item)
        named = next((own[key] for key in _PHYSICAL_NAMES if key in own), None)
        physical = f"{self._place.stack}-{name}" if named is None else str(self.resolve(named))
        return str(item["Type"]), physical

    def variables(self, function: str) -> dict[str, str] | None:
        """A function's environment, of a template that SAM has not translated; None if the function is not there."""
        item = self._kept.get(function)
        if item is None:
            return None
        common = section(section(self._template, "Globals"), "Function")
        environments = [mapping(part.get("Environment", {}), "Environment") for part in (common, properties(item))]
        merged: Json = {name: value for part in environments for name, value in section(part, "Variables").items()}
        return {name: str(value) for name, value in mapping(self.resolve(merged), "Variables").items()}
