"""Changes by way of Headlamp servers: a real one where it is named, and our gateway's dialect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import notebook_mux as nm
from notebook_mux.kernel import core as core_module
from notebook_mux.kernel.dialect import Opener
from tests.controlplane.test_changing import WEB, results
from tests.controlplane.test_changing_from_a_page import Asker
from tests.headlamp import CERTIFICATE, SERVERS, TOKEN, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane
from tests.unit.widgets.conftest import bundles

__all__ = ["bundles", "start_headlamp"]


@pytest.fixture(params=SERVERS)
def manager(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
    monkeypatch: pytest.MonkeyPatch,
) -> nm.Manager:
    """A manager of two clusters behind a server of each kind, both spoken to as Headlamp's."""
    monkeypatch.setattr(core_module, "Opener", lambda **options: Opener(headlamp=True, **options))
    server = start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))
    return nm.connect(CERTIFICATE, {"t": TOKEN}, url=server.url, write=[CERTIFICATE], namespace=namespace)


def test_all_four(manager: nm.Manager, namespace: str) -> None:
    with pytest.raises(nm.Ambiguous, match="2 clusters"):
        nm.apply(WEB)
    with pytest.raises(nm.WriteRefused):
        nm.apply(WEB, cluster="t")
    assert results(nm.apply(WEB, cluster=CERTIFICATE)) == [("ConfigMap", "created"), ("Deployment", "created")]
    assert results(nm.apply(WEB, cluster=CERTIFICATE)) == [("ConfigMap", "unchanged"), ("Deployment", "unchanged")]
    with pytest.raises(nm.InvalidArgument, match="replicaz"):
        nm.apply(WEB.replace("replicas", "replicaz"), cluster=CERTIFICATE)
    deploy = nm.get("deploy", "web", cluster=CERTIFICATE)
    assert nm.scale(deploy, 3, dry_run=True).rows[0]["Result"] == "scaled 2 → 3 (server dry run)"
    assert nm.scale(deploy, 3).rows[0]["Result"] == "scaled 2 → 3"
    assert "restartedAt" in nm.restart("deploy/web", cluster=CERTIFICATE).diff
    with pytest.raises(nm.Ambiguous, match="there 2 times"):
        nm.delete("deploy/web")  # the two are one cluster, and nobody here can know
    assert nm.delete("deploy/web", cluster=CERTIFICATE).rows[0]["Result"] in ("deleted", "deleting")


def test_from_a_page(manager: nm.Manager, namespace: str) -> None:
    nm.apply(WEB, cluster=CERTIFICATE)
    table = nm.table("deployments", cluster=CERTIFICATE)
    asker = Asker(table)
    asked = asker.say(what="scale", stage="ask", rows=asker.rows("web"), replicas=3)
    assert asked["allowed"][0]["allowed"] is True
    assert "+  replicas: 3" in asked["changes"][0]["diff"]
    assert asker.say(what="scale", stage="do", token=asked["token"])["ok"]
    table.close()
