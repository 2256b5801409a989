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
    """The same, made by us: paths resolved and contents read."""
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


def same(paths: list[Path], folder: Path) -> None:
    theirs = flattened(paths, folder)
    assert theirs is not None
    mine = ours(paths)
    for key in ("current-context", *SECTIONS):
        assert mine[key] == (theirs.get(key) or type(mine[key])()), key


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
        users=entries("user", u={"username": "one", "password": "pw"}),
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


NAMES = st.sampled_from(["a", "b", "c"])
FILES = st.fixed_dictionaries(
    {},
    optional={
        "current-context": st.sampled_from(["", "a", "b"]),
        "clusters": st.dictionaries(NAMES, st.fixed_dictionaries(
            {"server": st.sampled_from(["https://x", "https://y"])}, optional={"tls-server-name": st.just("t")},
        ), max_size=2),
        "users": st.dictionaries(NAMES, st.fixed_dictionaries(
            {}, optional={"token": st.sampled_from(["t", "u"]), "username": st.just("n")},
        ), max_size=2),
        "contexts": st.dictionaries(NAMES, st.fixed_dictionaries(
            {"cluster": NAMES, "user": NAMES}, optional={"namespace": st.just("n")},
        ), max_size=2),
    },
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(FILES, min_size=1, max_size=3))
def test_any_files_merge_as_kubectl_merges_them(files: list[dict[str, Any]], tmp_path: Path):
    paths = []
    for number, sections in enumerate(files):
        listed = {
            section: entries(SECTIONS[section], **named) if section in SECTIONS else named
            for section, named in sections.items()
        }
        paths.append(write(tmp_path / f"config-{number}", **listed))
    same(paths, tmp_path)


@pytest.mark.parametrize(
    "text", ["a: [", "- 1", "users: [{name: u, user: 7}]", "clusters: {}", "users: [{name: u}, {name: u}]"]
)
def test_what_kubectl_refuses_we_refuse(text: str, tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(text)
    assert flattened([path], tmp_path) is None
    with pytest.raises(InvalidArgument):
        kubeconfig_files.read([path])
