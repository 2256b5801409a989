"""Our reading of kubeconfig files beside kubectl's: ``kubectl config view --flatten`` is the reference."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway import kubeconfig_files
from notebook_mux.gateway.entries import read_user
from tests.conftest import need
from tests.testbed import build

pytestmark = pytest.mark.control_plane

SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}


@pytest.fixture(scope="module", autouse=True)
def kubectl() -> None:
    need(build.why_not())
    build.build()


def flattened(paths: list[Path], folder: Path) -> dict[str, Any] | None:
    """What kubectl makes of the files; None where it refuses them."""
    command = [str(build.control_plane_binary()), "kubectl", "config", "view", "--flatten", "--raw", "-o", "json"]
    env = {"KUBECONFIG": os.pathsep.join(map(str, paths)), "HOME": str(folder), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout) if done.returncode == 0 else None


def ours(paths: list[Path]) -> dict[str, Any]:
    """The same, made by us: certificates read from where their file's folder has them.

    Token files and commands stand as they are written; kubectl resolves those where it uses them, as we do.
    """
    found = kubeconfig_files.read(paths)
    document: dict[str, Any] = {"current-context": found.current}
    for section, kind in SECTIONS.items():
        entries = []
        for name, entry in sorted(getattr(found, section).items()):
            fields = dict(entry.fields)
            for key in ("certificate-authority", "client-certificate", "client-key"):
                path = entry.path(key)
                if path is not None:
                    del fields[key]
                    fields[f"{key}-data"] = base64.b64encode(path.read_bytes()).decode()
            entries.append({"name": name, kind: fields})
        document[section] = entries
    return document


def said(value: Any) -> Any:
    """What a document says: kubectl also writes out what is empty."""
    if isinstance(value, dict):
        return {key: said(inner) for key, inner in value.items() if inner not in ("", False, None, [], {})}
    return [said(inner) for inner in value] if isinstance(value, list) else value


def same(paths: list[Path], folder: Path) -> None:
    theirs = flattened(paths, folder)
    assert theirs is not None
    mine = ours(paths)
    for key in ("current-context", *SECTIONS):
        empty = type(mine[key])()
        assert said(mine[key]) == said(theirs.get(key) or empty), key


def write(path: Path, **sections: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **sections}))
    return path


def entries(kind: str, **named: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, kind: fields} for name, fields in named.items()]


def test_merging(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ca.crt").write_text(f"ca of {name}")
    one = write(
        tmp_path / "one/config",
        clusters=entries("cluster", a={"server": "https://one", "certificate-authority": "ca.crt"}),
        users=entries("user", u={"token": "one"}),
    )
    two = write(
        tmp_path / "two/config",
        clusters=entries("cluster", a={"server": "https://lost", "tls-server-name": "lost"},
                         b={"server": "https://two", "certificate-authority": "ca.crt"}),
        users=entries("user", u={"token": "lost"}, v={"tokenFile": "/abs/token"}),
        contexts=entries("context", x={"cluster": "a", "user": "u", "namespace": "n"}),
        **{"current-context": "x"},
    )  # fmt: skip
    three = write(tmp_path / "three", **{"current-context": "lost"})
    same([tmp_path / "missing", one, two, three], tmp_path)
    same([two, one], tmp_path)


NAMES = st.sampled_from(
    [
        "a",
        "b",
        "arn:aws:eks:eu-west-1:123456789012:cluster/x",
        "kubernetes-admin@kubernetes",
        "ns/host:6443/me",
        "2020-01-01",
    ]
)
FLAG = st.just(True)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "current-context": st.one_of(st.just(""), NAMES),
        "clusters": st.dictionaries(NAMES, st.fixed_dictionaries(
            {"server": st.sampled_from(["https://x", "https://y"])},
            optional={
                "tls-server-name": st.just("t"), "insecure-skip-tls-verify": FLAG,
                "proxy-url": st.sampled_from(["socks5://p:1", "http://u:p@q:2"]),
                "certificate-authority": st.sampled_from(["ca.crt", "./ca.crt", "../shared/ca.crt"]),
            },
        ).filter(lambda one: not {"insecure-skip-tls-verify", "certificate-authority"} <= set(one)), max_size=2),
        "users": st.dictionaries(NAMES, st.one_of(
            st.fixed_dictionaries({}, optional={
                "token": st.sampled_from(["t", "u"]), "tokenFile": st.sampled_from(["token", "/abs/token"]),
                "client-certificate": st.just("ca.crt"), "as": st.just("jane"),
            }).map(lambda one: one | ({"client-key": "../shared/ca.crt"} if "client-certificate" in one else {}))
            .map(lambda one: one | ({"as-groups": ["g", "h"], "as-user-extra": {"k": ["v"]}} if "as" in one else {})),
            st.fixed_dictionaries({"exec": st.fixed_dictionaries(
                {
                    "apiVersion": st.just("client.authentication.k8s.io/v1"),
                    "command": st.sampled_from(["aws", "./login", "bin/login", "../shared/login", "/abs/login"]),
                    "interactiveMode": st.sampled_from(["Never", "IfAvailable", "Always"]),
                },
                optional={"args": st.just(["a", "b c"]), "provideClusterInfo": FLAG, "installHint": st.just("x"),
                          "env": st.just([{"name": "n", "value": "v"}])},
            )}),
        ), max_size=2),
        "contexts": st.dictionaries(NAMES, st.fixed_dictionaries(
            {"cluster": NAMES}, optional={"user": NAMES, "namespace": st.just("n")},
        ), max_size=2),
    },
)  # fmt: skip


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=st.lists(FILES, min_size=1, max_size=3), missing=st.integers(0, 3))
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_any_files_merge_as_kubectl_merges_them(files: list[dict[str, Any]], missing: int, tmp_path: Path):
    paths = []
    for number, sections in enumerate(files):
        listed = {
            section: [{"name": name, SECTIONS[section]: fields} for name, fields in named.items()]
            if section in SECTIONS
            else named
            for section, named in sections.items()
        }
        folder = tmp_path / f"folder-{number}"
        paths.append(write(folder / "config", **listed))
        (folder / "ca.crt").write_text(f"ca of {number}")
    (tmp_path / "shared").mkdir(exist_ok=True)
    (tmp_path / "shared" / "ca.crt").write_text("shared ca")
    paths.insert(missing, tmp_path / "missing")
    same(paths, tmp_path)


ANCHORS = """
apiVersion: v1
kind: Config
eu: &eu {server: https://eu, insecure-skip-tls-verify: true}
clusters:
- {name: a, cluster: *eu}
- {name: b, cluster: {<<: *eu, server: "https://b"}}
users:
- {name: 2020-01-01, user: {token: 2021-02-03}}
"""
SECOND_DOCUMENT = """
clusters: [{name: a, cluster: {server: "https://a"}}]
---
clusters: [{name: b, cluster: {server: "https://b"}}]
"""


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "{}", ANCHORS, SECOND_DOCUMENT, '{"contexts": [],}'])
def test_what_yaml_allows(text: str, tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(text)
    same([path], tmp_path)


def test_the_one_thing_that_kubectl_takes_and_we_do_not(tmp_path: Path):
    """A key that stands twice: kubectl takes the last without a word, and two files put into one lose half of it."""
    path = tmp_path / "config"
    path.write_text("clusters: [{name: a, cluster: {server: 'https://a'}}]\nclusters: []\n")
    theirs = flattened([path], tmp_path)
    assert theirs is not None
    assert not theirs["clusters"]
    with pytest.raises(InvalidArgument, match=r"line 2, column 1(.|\n)*the key 'clusters' stands twice"):
        kubeconfig_files.read([path])


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "- 1",
        "\t",
        "[]",
        "kind: Pod\napiVersion: v1",
        "users: [{name: u, user: 7}]",
        "users: [{name: u, user: {token: 1}}]",
        "clusters: {}",
        "users: [{name: u}, {name: u}]",
    ],
)
def test_what_kubectl_refuses_we_refuse(text: str, tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(text)
    assert flattened([path], tmp_path) is None
    with pytest.raises(InvalidArgument, match=str(path)):
        [read_user(user, {}) for user in kubeconfig_files.read([path]).users.values()]
