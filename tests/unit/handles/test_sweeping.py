from __future__ import annotations

import os
import time
from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles import notices, starting, sweeping
from notebook_mux.handles.identity import Identity
from notebook_mux.handles.node_shells import node_shell
from notebook_mux.handles.objects import Object
from notebook_mux.handles.sweeping import Held, left_behind, sweep
from notebook_mux.handles.waiting import blocking
from notebook_mux.kernel import holder
from notebook_mux.kernel.failure import Failure
from notebook_mux.life import process
from notebook_mux.life.name import ServiceName
from tests.unit.fake_core import stamp
from tests.unit.handles import pods_core
from tests.unit.handles.nodes_core import PODS, NodesCore, core, identity

__all__ = ["core", "identity"]

GONE = starting.process_words(os.getpid(), "1")
"""A process with a number that is another's by now."""
ALIVE = starting.process_words(os.getpid(), process.start_mark(os.getpid()))
PARENT = starting.process_words(os.getppid(), process.start_mark(os.getppid()))
COLLECTED = time.time()
"""When the pods of the parameters were made: tests run minutes later."""
ELSEWHERE = "another-machine|1|1"
NAME = "gateway-1"
HELD = Held(PARENT, NAME, frozenset())
PATH = f"{PODS}/node-debugger-n1-aaaaa"


def left(kernel: str = ALIVE, gateway: str = PARENT, name: str = NAME, **changes: Any) -> Object:
    """A node shell, as it may be found."""
    annotations = {sweeping.KERNEL: kernel, sweeping.GATEWAY: gateway, sweeping.NAME: name}
    found: dict[str, dict[str, Any]] = {
        "metadata": {
            "name": "node-debugger-n1-aaaaa",
            "namespace": "default",
            "creationTimestamp": stamp(time.time()),
            "annotations": annotations,
        },
        "spec": {"activeDeadlineSeconds": 100},
        "status": {"phase": "Running"},
    }
    for path, value in changes.items():
        section, _, key = path.partition("__")
        found[section] = {**found[section], key: value}
    return Object(found, "dev")


@pytest.mark.parametrize(
    "pod",
    [
        left(),
        left(metadata__annotations={}),
        left(kernel=ALIVE, gateway=ELSEWHERE),
        left(kernel=ELSEWHERE, gateway=ELSEWHERE),
        left(kernel=ELSEWHERE, gateway=GONE),
        left(kernel=PARENT, gateway=GONE),
        left(kernel=GONE, gateway=GONE, name="another"),
        left(kernel=GONE, gateway=ELSEWHERE, name="another"),
        left(kernel="", gateway="nonsense"),
        left(metadata__creationTimestamp="nonsense"),
        left(metadata__creationTimestamp=stamp(COLLECTED - 200)),
        left(metadata__deletionTimestamp=stamp(time.time()), status__phase="Failed"),
    ],
)
def test_which_may_be_in_use(pod: Object) -> None:
    assert left_behind(pod, HELD, COLLECTED) == ""


def test_which_are_left_behind() -> None:
    for known in (HELD, Held()):
        assert left_behind(left(status__phase="Succeeded"), known) == "it has ended"
        ended = left(status__phase="Failed")
        ended["status"]["reason"] = "DeadlineExceeded"
        assert left_behind(ended, known) == "it has ended: DeadlineExceeded"
        late = left(metadata__creationTimestamp=stamp(time.time() - 1000))
        assert left_behind(late, known) == "its deadline has passed"
    assert left_behind(left(kernel=GONE), HELD) == "its kernel is gone", "and had not handed it over"
    assert left_behind(left(kernel=GONE, gateway=GONE), HELD) == "its gateway is gone"
    assert left_behind(left(kernel=ALIVE, gateway=GONE), HELD) == "its gateway is gone", "and the kernel is this one"


@pytest.mark.parametrize("pod", [left(kernel=GONE), left(kernel=GONE, gateway=GONE), left(gateway=GONE)])
def test_what_has_a_terminal_stays(pod: Object) -> None:
    """A kernel may have restarted, or started its terminal again in the gateway that stands in for its own."""
    assert left_behind(pod, HELD, COLLECTED) != ""
    assert left_behind(pod, HELD._replace(pods=frozenset([PATH])), COLLECTED) == ""
    assert left_behind(pod, HELD._replace(pods=None), COLLECTED) == "", "where nobody says, it may have"
    assert left_behind(pod, HELD._replace(name=""), COLLECTED) == ""
    assert left_behind(pod, HELD._replace(name="another"), COLLECTED) == ""


def start(identity: Identity, image: str) -> str:
    return blocking(node_shell(identity, identity.contexts[0], "n1", image))[1]


def notes() -> list[str]:
    memo: dict[str, Any] = vars(holder.core()).get("memo", {})
    return list(memo.get(notices.WAITING, ()))


def test_the_sweeper(core: NodesCore, identity: Identity) -> None:
    ended, gone, held, own, mine = (start(identity, image) for image in ("a", "b", "c", "d", "e"))
    core.pods[ended]["status"]["phase"] = "Failed"
    for path in (gone, held, own):
        core.pods[path]["metadata"]["annotations"][sweeping.GATEWAY] = GONE
    core.held, core.own = [f"{held}/exec"], [f"{own}/attach", ""]
    core.pods[f"{PODS}/theirs"] = pods_core.pod("theirs")
    names = [path.rpartition("/")[2] for path in (ended, gone)]
    assert blocking(sweep(identity, identity.contexts[0], "default")) == sorted(names)
    assert core.pods.keys() == {held, own, mine, f"{PODS}/theirs"}
    bodies = [body for method, *_, body in core.writes if method == "DELETE"]
    assert [body["preconditions"]["uid"] for body in bodies] == [f"uid-{name}" for name in names]
    assert notes() == [
        f"dev: deleted the pod default/{names[0]} that an earlier node shell has left (it has ended)",
        f"dev: deleted the pod default/{names[1]} that an earlier node shell has left (its gateway is gone)",
    ]
    assert blocking(sweep(identity, identity.contexts[0], "default")) == []


def test_a_new_shell_sweeps_first(core: NodesCore, identity: Identity) -> None:
    gone = start(identity, "a")
    core.pods[gone]["metadata"]["annotations"][sweeping.GATEWAY] = GONE
    assert start(identity, "a") != gone
    assert gone not in core.pods


def test_where_the_gateway_does_not_say(core: NodesCore, identity: Identity) -> None:
    ended, gone = (start(identity, image) for image in ("a", "b"))
    core.pods[ended]["status"]["phase"] = "Succeeded"
    core.pods[gone]["metadata"]["annotations"][sweeping.GATEWAY] = GONE
    core.held = Failure("protocol", "no such message")
    assert blocking(sweep(identity, identity.contexts[0], "default")) == [ended.rpartition("/")[2]]


def test_they_cannot_be_listed_or_deleted(core: NodesCore, identity: Identity) -> None:
    path = start(identity, "a")
    core.pods[path]["status"]["phase"] = "Failed"
    core.refuse = lambda method, path: (403, {"message": "no"})
    assert blocking(sweep(identity, identity.contexts[0], "default")) == [], "it is not said to be deleted"
    assert notes() == []
    core.answer = lambda ref, path, query: (403, b'{"message": "no"}')
    with pytest.raises(errors.Forbidden, match="listing the node shells in default"):
        blocking(sweep(identity, identity.contexts[0], "default"))


def test_whose_it_is(core: NodesCore, identity: Identity) -> None:
    found = sweeping.notes(identity, 0.0)
    assert found[sweeping.DEADLINE] == "1970-01-01T00:00:00Z"
    assert (found[sweeping.GATEWAY], found[sweeping.KERNEL]) == (ALIVE, ALIVE), "one process here"
    assert found[sweeping.NAME] == ServiceName("gateway").stem()
