from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles import cutting
from notebook_mux.kernel import holder
from notebook_mux.life import services


def test_a_gateway_that_is_not_ours_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[Any] = []
    monkeypatch.setattr(services, "kill", killed.append)
    status: dict[str, Any] = {"instance": "abc", "environment": True}
    monkeypatch.setattr(holder, "core", lambda: SimpleNamespace(status=lambda connection: status))
    by_url = SimpleNamespace(connection="c", endpoint=("url", "http://127.0.0.1:1/?token=secret"))
    with pytest.raises(nm.InvalidArgument, match="not this notebook's to kill") as caught:
        cutting.kill_gateway(by_url)  # type: ignore[arg-type]  # what it reads of an identity
    assert "secret" not in str(caught.value)
    own = SimpleNamespace(connection="c", endpoint=("auto", None))
    with pytest.raises(nm.GatewayError, match="no gateway to kill"):
        cutting.kill_gateway(own)  # type: ignore[arg-type]
    status["environment"] = False
    with pytest.raises(nm.InvalidArgument, match="started by hand"):
        cutting.kill_gateway(own)  # type: ignore[arg-type]
    assert not killed
