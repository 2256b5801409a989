"""connect, demo, and the default manager: `calls`, `managers` and `manager` against the fake core."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux import aio
from notebook_mux.handles import managers, playgrounds
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, pod


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeCore]:
    config = tmp_path / "config"
    config.write_text("{}")
    monkeypatch.setenv("KUBECONFIG", str(config))
    monkeypatch.delenv("NOTEBOOK_MUX_URL", raising=False)
    monkeypatch.setattr("notebook_mux.handles.calls._user", lambda: "user")
    core = fake_core.install(monkeypatch)
    core.contexts_ = [
        {"name": name, "ref": f"ref-{name}", "server": f"https://{name}:6443", "namespace": space, "current": not at}
        for at, (name, space) in enumerate([("dev", "team"), ("prod", "")])
    ]
    yield core
    managers._known.clear()


def test_the_current_context(core: FakeCore) -> None:
    m = nm.connect()
    assert core.calls[:2] == [
        ("connect", ("auto", None)),
        ("contexts", "auto", core.calls[1][2], None),
    ]
    assert core.calls[1][2]["kubeconfig"] == [os.environ["KUBECONFIG"]]
    assert list(m.clusters) == ["dev"]
    dev = m.clusters["dev"]
    assert (dev.state, dev.version, dev.namespace, dev.write, dev.context) == ("live", "v1.37.2", "team", False, "dev")
    assert (m.state, m.reason, m.url) == ("open", "", "http://127.0.0.1:1/")
    assert repr(m) == "<Manager of dev live: open>"


def test_the_same_clusters_give_the_same_manager(core: FakeCore) -> None:
    m = nm.connect("dev")
    assert nm.connect() is m
    assert nm.connect("dev", timeout=5, write=True) is m
    assert nm.connect("*") is not m
    assert nm.connect("dev", "prod") is nm.connect("*")
    assert nm.connect({"d": "dev"}) is not m
    assert nm.connect("dev", namespace="other") is not m
    assert nm.connect("dev", user_id="another") is not m
    core.contexts_[0]["ref"] = "changed"
    assert nm.connect("dev") is not m


def test_a_managers_streams_are_its_own(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    everything, dev = nm.connect("*"), nm.connect("dev")
    stream = nm.watch("pods")
    assert core.stream.spec.clusters == (("dev", "ref-dev", "team"),)
    assert dev.streams == (stream,)
    assert len(everything.watch("pods").clusters) == 2


def test_aliases_and_namespaces(core: FakeCore) -> None:
    m = nm.connect({"p": "prod"}, "dev", namespace="mine")
    assert core.asked("contexts")[0][3] == ["prod", "dev"]
    assert {name: (c.context, c.namespace) for name, c in m.clusters.items()} == {
        "p": ("prod", "mine"),
        "dev": ("dev", "mine"),
    }
    assert nm.connect("prod").clusters["prod"].namespace == "default"
    for namespace in ("*", ["a", "b"], "A"):
        with pytest.raises(nm.InvalidArgument):
            nm.connect(namespace=namespace)  # type: ignore[arg-type]


def test_write_is_decided_by_the_last_call(core: FakeCore) -> None:
    m = nm.connect("*")
    assert core.asked("scope") == []
    assert not any(c.write for c in m.clusters.values())
    nm.connect("*", write="prod")
    assert [name for name, c in m.clusters.items() if c.write] == ["prod"]
    nm.connect("*", write=True)
    assert [name for name, c in m.clusters.items() if c.write] == ["dev", "prod"]
    nm.connect("*", write=["dev"])
    nm.connect("*")
    assert not any(c.write for c in m.clusters.values())
    assert [call[3] for call in core.asked("scope")] == [["ref-prod"], ["ref-dev", "ref-prod"], ["ref-dev"], []]
    assert len({call[2] for call in core.asked("scope")}) == 1


def test_write_on_a_name_that_is_not_there_changes_nothing(core: FakeCore) -> None:
    m = nm.connect("*", write=True)
    with pytest.raises(nm.UnknownContext, match="one of: prod"):
        nm.connect("*", write="prof")
    assert all(c.write for c in m.clusters.values())


def test_write_that_the_gateway_refuses(core: FakeCore) -> None:
    core.granted = ["ref-dev"]
    with pytest.raises(nm.WriteRefused, match="on prod"):
        nm.connect("*", write=True)


def test_one_cluster_that_fails_is_a_state(core: FakeCore) -> None:
    core.probes["ref-prod"] = Failure("unreachable", "connection refused")
    m = nm.connect("*")
    assert (m.clusters["prod"].state, m.clusters["prod"].reason) == ("unreachable", "connection refused")
    assert m.clusters["dev"].state == "live"


def test_a_cell_run_again_asks_no_cluster_again(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    core.probes["ref-prod"] = Failure("unreachable", "connection refused")
    m = nm.connect("*")
    nm.connect("*")
    assert [call[1] for call in core.asked("probe")] == ["ref-dev", "ref-prod", "ref-prod"]
    monkeypatch.setattr("notebook_mux.handles.manager.ANSWERED_SECONDS", 0.0)
    nm.connect("*")
    assert [call[1] for call in core.asked("probe")][3:] == ["ref-dev", "ref-prod"]
    core.probes["ref-dev"] = core.probes["ref-prod"]
    with pytest.raises(nm.Unreachable):
        nm.connect("*")
    del m


def test_all_that_fail_are_raised(core: FakeCore) -> None:
    core.probes["ref-prod"] = Failure("unreachable", "connection refused")
    core.probes["ref-dev"] = Failure("login", "the token has expired", said="Unauthorized", todo="log in")
    with pytest.raises(nm.LoginRequired, match="the token has expired") as caught:
        nm.connect("*")
    assert caught.value.cluster == "dev"
    assert managers.default() is None


def test_a_context_that_cannot_be_used(core: FakeCore) -> None:
    core.contexts_[1] |= {"ref": "", "error": {"code": "login", "what": "no certificate at /x", "todo": "look"}}
    m = nm.connect("*")
    assert (m.clusters["prod"].state, m.clusters["prod"].reason) == ("login", "no certificate at /x")
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    assert list(m.watch("pods").clusters) == ["dev"]
    with pytest.raises(nm.LoginRequired, match="no certificate"):
        m.watch("pods", cluster="prod")
    with pytest.raises(nm.LoginRequired, match="no certificate"):
        nm.connect("prod")


def test_failures_before_any_cluster(core: FakeCore) -> None:
    with pytest.raises(nm.UnknownContext):
        nm.connect("staging")
    core.contexts_ = []
    with pytest.raises(nm.NoCluster):
        nm.connect("*")
    core.connected = Failure("gateway", "the gateway cannot be started", said="its log", todo="look")
    with pytest.raises(nm.GatewayError, match="its log"):
        nm.connect()
    for timeout in (0, -1):
        with pytest.raises(nm.InvalidArgument):
            nm.connect(timeout=timeout)


def test_a_gateways_url(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:8123/?token=t"
    nm.connect(url=url)
    assert core.calls[0] == ("connect", ("url", url))
    assert core.calls[1][2] == {"kubeconfig": None, "env": {}, "in_cluster": False}
    monkeypatch.setenv("NOTEBOOK_MUX_URL", url)
    nm.connect()
    assert core.calls[3] == ("connect", ("url", url))


def test_functions_are_those_of_the_manager_connected_last(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    stream = nm.watch("pods")
    assert len(core.asked("connect")) == 1
    assert nm.watch("pods") is stream
    assert nm.connect("dev").watch("pods") is stream
    nm.connect("prod")
    assert nm.watch("pods") is not stream


def test_a_later_generation_goes_on_with_the_same_clusters(core: FakeCore) -> None:
    m = nm.connect("prod", write=True)
    calls = len(core.calls)
    managers._default = None
    managers._known.clear()  # as if the modules were new
    again = managers.default()
    assert again is not None
    assert again is not m
    assert again._identity == m._identity
    assert again.clusters["prod"].write
    assert len(core.calls) == calls


def test_close(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    m = nm.connect()
    stream = nm.watch("pods")
    nm.close()
    nm.close()
    assert core.asked("close") == [("close", "auto")]
    assert (m.state, m.clusters["dev"].state) == ("closed", "closed")
    assert m._repr_mimebundle_() == {"text/plain": "<Manager of dev closed: closed, closed by close()>"}
    for use in (lambda: m.watch("pods"), lambda: m.get("pods"), lambda: stream.rows, m.retry, m.status):
        with pytest.raises(nm.Closed):
            use()
    assert nm.connect() is not m
    assert nm.watch("pods") is not stream


def test_close_with_nothing_connected_connects_nothing(core: FakeCore) -> None:
    nm.close()
    assert core.calls == []


def test_closing_one_manager_leaves_the_others_on_the_socket(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    dev, prod = nm.connect("dev", write=True), nm.connect("prod")
    first, second = dev.watch("pods"), prod.watch("pods")
    dev.close()
    assert core.asked("close") == []
    assert core.asked("scope")[-1][3] == []
    with pytest.raises(nm.Closed):
        first.rows  # noqa: B018
    assert len(second) == 1
    assert nm.watch("pods") is second
    prod.close()
    assert core.asked("close") == [("close", "auto")]


def test_stats_are_counts(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    m = nm.connect()
    stream = m.watch("pods")
    stats = m.stats
    assert (stats.sockets, stats.reconnects, stats.streams, stats.objects, stats.changes) == (1, 1, 1, 2, 3)
    assert (stats.lag, stats.bytes_in) == (0.5, 10)
    with pytest.raises(AttributeError):
        stats.streams = 7  # type: ignore[misc]
    m.retry()
    assert core.asked("retry") == [("retry", "auto")]
    del stream


def test_demo(core: FakeCore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    config = tmp_path / "demo"
    config.write_text("{}")

    def started(*arguments: Any) -> playgrounds.Playground:
        asked.append(arguments)
        return playgrounds.Playground(str(config))

    resets: list[str] = []

    async def reset(demo: nm.Demo) -> None:
        resets.append(demo.scenario)
        raise nm.Unreachable("it does not answer")

    monkeypatch.setattr(playgrounds, "started", started)
    before = os.environ["KUBECONFIG"]
    m = nm.demo(seed=3)
    assert asked == [("first-look", 3, 1, False)]
    assert core.asked("contexts")[0][2]["kubeconfig"] == [str(config)]
    assert core.asked("contexts")[0][3] == ["*"]
    assert all(c.write for c in m.clusters.values())
    assert os.environ["KUBECONFIG"] == before
    assert nm.demo("first-look", seed=3) is m
    assert isinstance(m, nm.Demo)
    assert (m.scenario, m.seed) == ("first-look", 3)
    assert repr(m) == "<Demo of dev live, prod live: open; first-look, seed 3>"
    assert nm.connect("*", kubeconfig=str(config)) is not m  # which has no clock that could be changed
    monkeypatch.setattr(nm.Demo, "_reset", reset)
    nm.demo(clusters=2, reset=True, env=True)
    assert resets == ["first-look"]
    assert asked[-2:] == [("first-look", 0, 2, False), ("first-look", 0, 2, True)]  # the other one did not answer
    assert os.environ["KUBECONFIG"] == str(config)


def test_the_awaitable_ones_are_the_same(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    core.answer = lambda ref, path, query: (200, b'{"kind":"PodList","items":[]}')

    async def main() -> tuple[Any, ...]:
        m = await aio.connect("dev")
        return m, await aio.watch("pods"), await aio.get("pods"), await aio.run(asyncio.sleep(0, "slept"))

    m, stream, snapshot, slept = asyncio.run(main())
    assert nm.connect("dev") is m
    assert nm.watch("pods") is stream
    assert len(snapshot) == 0
    assert slept == "slept"
    asyncio.run(aio.close())
    assert m.state == "closed"


def test_errors_of_an_older_core_are_raised_as_our_own(core: FakeCore) -> None:
    class Failure:  # of other modules, with the same shape
        pass

    other = type("Failure", (Exception,), {"code": "forbidden", "fields": {"what": "no"}})
    core.connected = other()
    with pytest.raises(nm.Forbidden, match="no"):
        nm.connect()


def test_managers_nobody_has_are_not_kept(core: FakeCore) -> None:
    nm.connect("prod")
    nm.connect("dev")
    gc.collect()
    assert [m.clusters.keys() for m in managers._known.values()] == [{"dev": 0}.keys()]


def test_a_note_is_said_once(core: FakeCore, capsys: pytest.CaptureFixture[str]) -> None:
    core.contexts_[0]["notes"] = ["the certificate of https://dev:6443 is not checked"]
    nm.connect({"d": "dev"})
    nm.connect("*")
    nm.connect({"other": "dev"})
    assert capsys.readouterr().err == "notebook_mux: d: the certificate of https://dev:6443 is not checked\n"
    core.contexts_[1]["notes"] = ["another"]
    nm.connect("*")
    assert capsys.readouterr().err == "notebook_mux: prod: another\n"
