"""Ten thousand contexts through the whole way: files, gateway, the one socket, kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import notebook_mux as nm
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.waiting import blocking
from notebook_mux.kernel import holder
from tests.playground import RunningPlayground, start_playground  # noqa: F401 - a fixture

COUNT = 10_000
SECONDS = 120.0


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ten_thousand_contexts_on_one_socket(
    start_playground: Callable[..., RunningPlayground],  # noqa: F811
    tmp_path: Path,
) -> None:
    config = yaml.safe_load(start_playground("empty").kubeconfig.read_text())
    real = config["contexts"][0]
    names = [f"arn:aws:eks:eu-west-1:123456789012:cluster/team-{at}" for at in range(COUNT - 1)]
    config["clusters"] += [
        {"name": name, "cluster": {"server": f"https://{at:032x}.gr7.eu-west-1.eks.amazonaws.com"}}
        for at, name in enumerate(names)
    ]
    config["contexts"] = [real] + [
        {"name": n, "context": {"cluster": n, "user": real["context"]["user"]}} for n in names
    ]
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    manager = nm.connect(kubeconfig=path, timeout=SECONDS)
    try:
        assert list(manager.clusters) == [real["name"]]
        stream = nm.watch("namespaces")
        identity, contexts = manager._identity, holder.core().contexts
        source = dict(identity.source)
        found = blocking(answered(contexts, identity.connection, source, ["*"], SECONDS, what="reading contexts"))
        assert [one["name"] for one in found] == [real["name"], *names]
        assert len(json.dumps(found)) > 1024 * 1024, "more than one message may have"
        assert (manager.stats.sockets, manager.stats.reconnects) == (1, 0), "the socket bore it"
        assert stream.rows
        assert manager.state == "open"
    finally:
        manager.close()
