"""Write the playground's table of protobuf fields from Kubernetes' Go modules, which the test bed is built of.

    python -m tests.testbed.protobuf

Two files of each package say it together: ``generated.proto`` the numbers and the types on the wire, ``types.go`` the
names in JSON, and which fields are not written when they are empty. The test that the file is up to date is in
`tests/controlplane/test_playground_contract_protobuf.py`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import notebook_mux.playground.protobuf as protobuf_of_playground
from notebook_mux.playground.protobuf import table
from tests.testbed import build
from tests.testbed.openapi import write

Json = dict[str, Any]

TARGET = Path(protobuf_of_playground.__file__).parent / table.DATA

PACKAGES = {
    "k8s.io/api": (
        "apps/v1", "authentication/v1", "authorization/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1",
        "certificates/v1", "coordination/v1", "core/v1", "discovery/v1", "events/v1", "networking/v1", "node/v1",
        "policy/v1", "rbac/v1", "scheduling/v1", "scheduling/v1alpha3", "storage/v1",
    ),
    "k8s.io/apimachinery": ("pkg/api/resource", "pkg/apis/meta/v1", "pkg/runtime", "pkg/util/intstr"),
    "k8s.io/apiextensions-apiserver": ("pkg/apis/apiextensions/v1",),
}  # fmt: skip
"""The packages whose objects go over the wire, by module."""

MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^  (?:(optional|repeated|required) )?(map<\w+, ?[.\w]+>|[.\w]+) (\w+) = (\d+);", re.MULTILINE)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"^\t(?:(\w+)[ \t]+)?(\*?[^\s`]+)[ \t]+`([^`\n]*protobuf:[^`\n]*)`", re.MULTILINE)
ALIAS = re.compile(r"\b[a-z]*(v\d(?:alpha\d|beta\d)?)\.")
NAME = re.compile(r"(?<![\w.])[A-Z]\w*")
PLAIN = {"bytes": "[]uint8", "double": "float64"}
"""Go's words for types of protobuf, where they are others."""
OPTIONS = {"omitempty": table.OMIT_EMPTY, "omitzero": table.OMIT_ZERO}
TAG = re.compile(r'(\w+):"([^"]*)"')


def contents(modules: Path) -> dict[str, bytes]:
    """The members of the data file: a package's messages by name.

    Args:
        modules: The folder of Go's modules.
    """
    versions = required()
    members = {}
    for module, packages in PACKAGES.items():
        root = modules / f"{module}@{versions[module]}"
        for package in packages:
            proto = (root / package / "generated.proto").read_text()
            sources = "".join(path.read_text() for path in sorted((root / package).glob("*.go")) if _is_source(path))
            name = f"{module}/{package}".replace("/", ".")
            text = json.dumps(messages(name, proto, sources), sort_keys=True, separators=(",", ":"))
            members[f"{name}.json"] = text.encode()
    return members


def _is_source(path: Path) -> bool:
    return not path.name.endswith("_test.go") and not path.name.startswith(("generated.", "zz_generated"))


def required() -> dict[str, str]:
    """The versions of the modules that the test bed is built of."""
    text = (build.HERE / "go.mod").read_text()
    found = dict(re.findall(r"^\s+(\S+) => \S+ (v\S+)$", text, re.MULTILINE))
    return {module: found[module] for module in PACKAGES}


def messages(package: str, proto: str, sources: str) -> Json:
    """The messages of a package, each a list of fields as `table.Field` reads them.

    Args:
        package: Its name in protobuf, such as ``k8s.io.api.core.v1``.
        proto: Its ``generated.proto``.
        sources: Its Go sources.
    """
    structs = {name: members(package, body) for name, body in STRUCT.findall(sources)}
    found: Json = {}
    for name, body in MESSAGE.findall(proto):
        said = structs.get(name, {})
        found[name] = [
            _field(package, label, kind, field, int(number), said.get(int(number)))
            for label, kind, field, number in FIELD.findall(body)
        ]
    return found


def members(package: str, body: str) -> dict[int, tuple[str, str, str]]:
    """What a struct says of its fields, by number: the name in JSON, flags, and the type as Go's messages say it."""
    found = {}
    for name, kind, tags in MEMBER.findall(body):
        tag = dict(TAG.findall(tags))
        said, *options = tag.get("json", name).split(",")
        if tag["protobuf"] == "-":
            continue
        number = int(tag["protobuf"].split(",")[1])
        flags = table.POINTER if kind.startswith("*") else ""
        flags += "".join(flag for word, flag in OPTIONS.items() if word in options)
        found[number] = (said, flags, go_type(package, kind.removeprefix("*")))
    return found


def _field(
    package: str, label: str, kind: str, field: str, number: int, said: tuple[str, str, str] | None
) -> list[Any]:
    name, flags, shown = said if said is not None else (field, table.OMIT_EMPTY, "")
    if kind.startswith("map<"):
        key, _, value = kind[4:-1].partition(",")
        assert key == "string", kind
        flags, kind = flags + table.MAP, value.strip()
    elif label == "repeated":
        flags += table.REPEATED
    if kind.startswith("."):
        kind = kind[1:]
    elif kind[0].isupper():
        kind = f"{package}.{kind}"
    row = [number, name, kind, flags]
    return row if shown in ("", PLAIN.get(kind, kind)) else [*row, shown]


def go_type(package: str, written: str) -> str:
    """A type as Go says it in a message: with the name of its package.

    Args:
        package: Where it is written.
        written: As it stands in the source, such as ``[]metav1.Condition``.
    """
    here = package.rpartition(".")[2]
    words = ALIAS.sub(lambda found: found[1] + ".", written)
    return NAME.sub(lambda found: f"{here}.{found[0]}", words).replace("byte", "uint8")


def modules(environ: Mapping[str, str] | None = None) -> Path:
    """Where Go keeps modules.

    Args:
        environ: The user's own environment, where this process has another home.

    Raises:
        OSError: There is no Go.
    """
    words = ["go", "env", "GOMODCACHE"]
    said = subprocess.run(words, check=True, capture_output=True, text=True, env=environ).stdout
    return Path(said.strip())


def there(modules: Path) -> bool:
    """Whether the modules are there that the table is made of."""
    return all((modules / f"{module}@{version}").is_dir() for module, version in required().items())


def main() -> None:
    argparse.ArgumentParser(prog="python -m tests.testbed.protobuf", description=__doc__).parse_args()
    write(TARGET, contents(modules()))
    with zipfile.ZipFile(TARGET) as archive:
        print(f"{TARGET}: {TARGET.stat().st_size} bytes, {len(archive.namelist())} packages")


if __name__ == "__main__":
    main()
