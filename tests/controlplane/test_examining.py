"""contexts, kinds and doctor on a real API server, and what is said where something is forbidden."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import notebook_mux as nm
from tests.controlplane.test_whole_way import CRD, create, eventually, may, user
from tests.testbed.control_plane import ControlPlane
from tests.unit.checks.servers import refused_port


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    nm.close()


@pytest.fixture
def boats(control_plane: ControlPlane) -> Iterator[None]:
    """A kind of this module's own."""
    text = json.dumps(CRD).replace("example.com", "harbour.example.com").replace("boat", "ship").replace("Boat", "Ship")
    create(control_plane, json.loads(text.replace('"bo"', '"sh"')))
    control_plane.established("ships.harbour.example.com")
    yield
    control_plane.kubectl("delete", "crd", "ships.harbour.example.com")  # gone when the next test makes it again


def test_kinds_are_those_of_kubectl(control_plane: ControlPlane, boats: None) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig)
    found = nm.kinds()
    listed = control_plane.kubectl("api-resources", "--verbs=list", "-o", "name").split()
    names = {row["Name"] + (f".{row['API'].split('/')[0]}" if "/" in row["API"] else "") for row in found}
    assert names >= set(listed)
    assert {(row["List"], row["Watch"] or "everywhere") for row in found} == {("everywhere", "everywhere")}
    types = {row["Name"]: row["Type"] for row in found}
    assert (types["ships"], types["pods"], types["flowschemas"]) == ("custom", "built in", "built in")
    (ship,) = nm.kinds(match="sh")
    assert (ship["API"], ship["Kind"], ship["Namespaced"]) == ("harbour.example.com/v1", "Ship", True)


def test_kinds_of_one_who_may_little(control_plane: ControlPlane, namespace: str, boats: None, tmp_path: Path) -> None:
    config = user(
        control_plane, tmp_path / "k", "reader", namespace, "list,watch pods", "list ships.harbour.example.com"
    )
    nm.connect(kubeconfig=config, namespace=namespace)
    rows = {row["Name"]: row for row in nm.kinds()}
    here = f"in {namespace}"
    assert (rows["pods"]["List"], rows["pods"]["Watch"]) == (here, here)
    assert (rows["ships"]["List"], rows["ships"]["Watch"]) == (here, "no")
    assert (rows["secrets"]["List"], rows["nodes"]["List"]) == ("no", "no")
    assert rows["ships"]["Type"] == "custom?", "it may not list the definitions"


def test_contexts_know_what_is_connected(control_plane: ControlPlane) -> None:
    assert [row["Connected"] for row in nm.contexts(control_plane.kubeconfig)] == [None]
    nm.connect(kubeconfig=control_plane.kubeconfig)
    (row,) = nm.contexts(control_plane.kubeconfig)
    assert row["Connected"] == "live"
    assert row["Login"] in ("certificate", "token")
    assert row["Server"] == control_plane.server.removeprefix("https://")


def test_the_doctor_finds_all_well(control_plane: ControlPlane) -> None:
    found = nm.doctor(kubeconfig=control_plane.kubeconfig)
    assert found.ok, found.text
    assert "may list pods in all namespaces" in found.text
    assert "Kubernetes v1." in found.text


def test_the_doctor_says_what_is_forbidden(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    config = user(control_plane, tmp_path / "k", "nobody", namespace)
    found = nm.doctor(kubeconfig=config)
    assert not found.ok
    assert "wrong: may not list pods in the namespace default" in found.text
    assert found.rows[-1]["Check"] == "rights"


def test_a_forbidden_namespace_names_those_that_would_work(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    config = user(control_plane, tmp_path / "k", "guest", namespace, "list,watch pods")
    role = f"{namespace}-namespaces"
    control_plane.kubectl("create", "clusterrole", role, "--verb=list", "--resource=namespaces")
    account = f"--serviceaccount={namespace}:guest"
    control_plane.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", account)
    who = f"system:serviceaccount:{namespace}:guest"
    eventually(lambda: may(control_plane, who, verb="list", resource="namespaces"), "the server knows of the binding")
    try:
        nm.connect(kubeconfig=config)
        for call, verbs in ((nm.get, "list"), (nm.watch, "list and watch")):
            with pytest.raises(nm.Forbidden) as caught:
                call("pods", namespace="kube-system")
            error = caught.value
            assert 'pods is forbidden: User "system:serviceaccount:' in str(error.said), "the server's own words"
            assert f"namespace=['{namespace}'] would work: you may {verbs} pods there; checked " in str(error.todo)
            assert len(error.lines()) == 3
        with pytest.raises(nm.Forbidden) as caught:
            nm.get("secrets", namespace="kube-system")
        assert "ask for the right to list secrets: checked " in str(caught.value.todo)
        with pytest.raises(nm.Forbidden, match="ClusterRole"):
            nm.get("nodes")
        assert len(nm.get("pods", namespace=[namespace])) == 0
    finally:
        control_plane.kubectl("delete", "clusterrolebinding", role)
        control_plane.kubectl("delete", "clusterrole", role)


def test_a_login_that_has_expired(control_plane: ControlPlane, tmp_path: Path) -> None:
    plugin = tmp_path / "sso"
    plugin.write_text("#!/bin/sh\necho 'Token has expired, open https://sso.example.com/ in a browser' >&2; exit 254\n")
    plugin.chmod(0o700)
    exec_ = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    config = control_plane.write_kubeconfig(tmp_path / "k", "sso", context="sso", exec=exec_)
    with pytest.raises(nm.LoginRequired) as caught:
        nm.connect(kubeconfig=config)
    what, said, todo = caught.value.lines()
    assert f" on {socket.gethostname()}" in what
    assert said == "  said: Token has expired, open https://sso.example.com/ in a browser"
    assert f"run: kubectl --kubeconfig {config} --context sso get namespaces; then run the cell again" in todo


def test_a_server_that_is_away(control_plane: ControlPlane, tmp_path: Path) -> None:
    port = refused_port()
    config = tmp_path / "k"
    config.write_text(control_plane.kubeconfig.read_text().replace(control_plane.server, f"https://127.0.0.1:{port}"))
    with pytest.raises(nm.Unreachable) as caught:
        nm.connect(kubeconfig=config)
    what, said, todo = caught.value.lines()
    assert re.search(rf"no connection to https://127.0.0.1:{port}, after \d+\.\d s", what)
    assert "refused" in said
    assert f"its VPN must be up on {socket.gethostname()}" in todo
    assert "nm.doctor()" in todo
