"""The software bill of materials of an image, read from the image itself: CycloneDX 1.6 JSON.

Python packages come from their metadata, the base's from Debian's package database. The same image gives the same text.
"""

import json
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import quote
from uuid import NAMESPACE_OID, uuid5

from images.docker import docker
from images.layers import files

_METADATA = ".dist-info/METADATA"
_DEBIAN = "/var/lib/dpkg/status"
_LICENSE_NAME = 80
"""A longer License field is the licence's whole text."""

type Component = dict[str, object]


def sbom(image: str, service: str) -> str:
    """The document. Raises ImagesError."""
    config = json.loads(docker("image", "inspect", "--format", "{{json .}}", image))
    labels = config["Config"]["Labels"]
    version = labels["alchemiser.git-sha"]
    inside = files(image, wanted=(_METADATA, _DEBIAN))
    components = [*_python(inside), *_debian(inside)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_OID, config['Id'])}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": f"alchemiser-{service}",
                "name": f"alchemiser-{service}",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [
                    {"name": "alchemiser:version", "value": labels["org.opencontainers.image.version"]},
                    {"name": "alchemiser:image-id", "value": config["Id"]},
                    {"name": "alchemiser:platform", "value": f"{config['Os']}/{config['Architecture']}"},
                ],
            }
        },
        "components": sorted(components, key=lambda component: str(component["purl"])),
        "dependencies": [
            {"ref": f"alchemiser-{service}", "dependsOn": sorted(str(component["bom-ref"]) for component in components)}
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def write(image: str, service: str, folder: Path) -> Path:
    """Write it below `folder`, named by service and build."""
    text = sbom(image, service)
    path = folder / f"{service}-{json.loads(text)['metadata']['component']['version']}.cdx.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _python(inside: dict[str, bytes]) -> Iterator[Component]:
    for path, content in inside.items():
        if path.endswith(_METADATA):
            about = BytesParser().parsebytes(content, headersonly=True)
            name, version = str(about["Name"]).lower().replace("_", "-"), str(about["Version"])
            yield _component(f"pkg:pypi/{name}@{version}", name, version, _license(about))


def _license(about: Message) -> list[dict[str, object]]:
    if expression := about["License-Expression"]:
        return [{"expression": str(expression)}]
    if (name := str(about["License"] or "").strip()) and len(name) <= _LICENSE_NAME:
        return [{"license": {"name": name}}]
    trove = [
        str(line).rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License ::")
    ]
    return [{"license": {"name": line}} for line in trove]


def _debian(inside: dict[str, bytes]) -> Iterator[Component]:
    for paragraph in inside.get(_DEBIAN, b"").split(b"\n\n"):
        about = BytesParser().parsebytes(paragraph, headersonly=True)
        if about["Package"] and str(about["Status"]).endswith(" installed"):
            name, version, arch = (str(about[field]) for field in ("Package", "Version", "Architecture"))
            yield _component(f"pkg:deb/debian/{name}@{quote(version, safe='+~.:')}?arch={arch}", name, version, [])


def _component(purl: str, name: str, version: str, licenses: list[dict[str, object]]) -> Component:
    component: Component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if licenses:
        component["licenses"] = licenses
    return component
