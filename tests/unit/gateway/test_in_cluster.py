from __future__ import annotations

from pathlib import Path

import pytest

from notebook_mux.errors import NoCluster
from notebook_mux.gateway.in_cluster import service_account

ENV = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "namespace").write_text("jupyter\n")
    return tmp_path


def test_a_pod(account: Path):
    server, user, namespace = service_account(ENV, account)
    assert (server.url, server.ca_file, server.proxy) == ("https://10.0.0.1:443", account / "ca.crt", "")
    assert (user.token_file, namespace) == (account / "token", "jupyter")
    (account / "namespace").unlink()
    assert service_account(ENV, account)[2] == "default"


def test_the_environment_s_proxy(account: Path):
    env = {**ENV, "HTTPS_PROXY": "http://proxy:3128"}
    server, _, _ = service_account(env, account)
    assert (server.proxy, server.proxy_from) == ("http://proxy:3128", "HTTPS_PROXY")
    server, _, _ = service_account({**env, "NO_PROXY": "10.0.0.0/8"}, account)
    assert server.proxy == ""


def test_what_is_no_pod(tmp_path: Path):
    for env in (ENV, {}):
        with pytest.raises(NoCluster, match="not in a pod"):
            service_account(env, tmp_path)
