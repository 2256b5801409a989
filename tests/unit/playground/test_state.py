"""Kept state: whole after a kill at any moment, and refused, untouched, where it is not what was written."""

from __future__ import annotations

import operator
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.state import NotKept, StateInUse, StateRefused, records
from notebook_mux.playground.state.contents import load
from notebook_mux.playground.state.folder import StateFolder
from tests.serving import quiet_port
from tests.unit.playground.client import Client
from tests.unit.playground.state_writer import WANTED, Changes, change, opened, values
from tests.unit.playground.worlds import config_map

Json = dict[str, Any]
KILLS = 20
NOBODY = 65534
STEP = 5
"""Bytes between two that are spoiled: less than a record's head has."""

WAIT_S = 60.0
"""For a process to end."""

FAR = 10**9
"""Bytes: a log that never ends."""


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reread(folder: Path) -> tuple[dict[str, str], int]:
    state, cluster = opened(folder)
    with state:
        return values(cluster), cluster.store.revision


def test_what_was_answered_is_there_after_each_kill(tmp_path: Path):
    folder, chance = tmp_path / "state", random.Random(7)
    before: dict[str, str] = {}
    revision = 0
    command = [sys.executable, "-m", "tests.unit.playground.state_writer", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for kill in range(KILLS):
            writers.stdin.write(f"{kill}\n")
            writers.stdin.flush()
            said = [writers.stdout.readline() for _ in range(chance.randrange(1, 400))]
            os.kill(int(said[0].split()[0]), signal.SIGKILL)
            said += iter(writers.stdout.readline, "killed\n")
            assert int(said[0].split()[1]) >= revision
            changes, revision = Changes(kill, before), int(said[-1].split()[1])
            for _ in said[1:]:
                changes.next()
            known = dict(changes.values)
            changes.next()
            before, found = reread(folder)
            # Everything that was told, and at most the one change that was being made.
            assert (before, found) in [(known, revision), (changes.values, revision + 1)], kill
            revision = found
        writers.stdin.close()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with a snapshot and a log of some changes after it, and none before."""
    folder = tmp_path / "kept"
    state, cluster = opened(folder, 900)
    with state:
        changes = Changes(3, {})
        for _ in range(9):
            change(cluster, *changes.next())
    names = sorted(path.name for path in (folder / "clusters/demo").iterdir())
    assert len(names) == 2, names
    assert names[0] > "log-000001"
    return folder


def test_a_changed_byte_anywhere_is_told(kept: Path):
    whole = reread(kept)
    before = files_in(kept)
    for name in (name for name in before if name.startswith("clusters") or name == "state"):
        for at in range(0, len(before[name]), STEP):
            spoiled = bytearray(before[name])
            spoiled[at] ^= 1 << at % 8
            (kept / name).write_bytes(spoiled)
            with pytest.raises(StateRefused, match=re.escape(str(kept))) as caught:
                reread(kept)
            assert isinstance(caught.value, errors.MuxError)
            assert caught.value.todo
            assert files_in(kept) == {**before, name: bytes(spoiled)}, (name, at)
            (kept / name).write_bytes(before[name])
    assert reread(kept) == whole


def test_a_record_cut_short_is_dropped_and_nothing_else(kept: Path, caplog: pytest.LogCaptureFixture):
    path = max((kept / "clusters/demo").glob("log-*"))
    content = path.read_bytes()
    reader = records.Reader(path, memoryview(content))
    ends = [reader.good for _ in reader]
    for cut in range(len(content) - 1, ends[0] - 1, -STEP):
        path.write_bytes(content[:cut])
        found = reread(kept)
        whole = max(end for end in ends if end <= cut)
        assert path.stat().st_size == whole
        assert ("a last record of" in caplog.text) == (cut != whole)
        caplog.clear()
        assert found == reread(kept)
        path.write_bytes(content)
    for cut in range(0, ends[0], STEP):
        path.write_bytes(content[:cut])
        with pytest.raises(StateRefused, match="is damaged: log-"):
            reread(kept)
    path.write_bytes(content + b"\0" * 40)
    with pytest.raises(StateRefused, match=f"at byte {len(content)}: a record's head") as caught:
        reread(kept)
    assert f"truncate -s {len(content)} {path}" in str(caught.value.todo)


def test_a_missing_file_is_told(kept: Path):
    for name, content in files_in(kept).items():
        if name != "lock":
            (kept / name).unlink()
            with pytest.raises(StateRefused, match=r"is damaged: .* is missing"):
                reread(kept)
            (kept / name).write_bytes(content)
    (snapshot,) = (kept / "clusters/demo").glob("snapshot-*")
    with pytest.raises(StateRefused, match="it is the file of another place"):
        load(snapshot.parent, "another")


def test_a_kill_in_the_making_and_between_two_logs(kept: Path, tmp_path: Path):
    new = tmp_path / "new"
    with StateFolder(new, WANTED, WANTED) as state:
        state.secret("token", lambda: "t1")
        with pytest.raises(ZeroDivisionError):
            state.fill({"demo": Cluster("demo", 0)}, lambda _: operator.truediv(1, 0), lambda _: None)
    (new / "clusters/demo").mkdir(parents=True)
    (new / "clusters/demo/log-000001").write_bytes(b"half")
    state, cluster = opened(new, FAR)
    with state:
        assert state.secret("token", lambda: "t2") == "t1"
        change(cluster, "a", "1")
    log = new / "clusters/demo/log-000001"
    # The next log was made, and the word in the last one that it goes on there was not written.
    head = records.whole(b"H" + records.Reader(log, memoryview(log.read_bytes())).__iter__().__next__()[1:].tobytes()
                         .replace(b'"number": 1', b'"number": 2'))  # fmt: skip
    (new / "clusters/demo/log-000002").write_bytes(head)
    assert reread(new)[0] == {"a": "1"}
    assert not (new / "clusters/demo/log-000002").exists()


def test_folders_that_are_refused(kept: Path, tmp_path: Path):
    before = files_in(kept)
    with pytest.raises(StateRefused, match="of a playground with scenario empty, and not first-look"):
        StateFolder(kept, {**WANTED, "scenario": "first-look"}, WANTED)
    state = StateFolder(kept, dict.fromkeys(WANTED), {})
    with state:
        assert state.settled == WANTED
        with pytest.raises(StateInUse, match="another playground works in"):
            StateFolder(kept, WANTED, WANTED)
    stamp = kept / "state"
    newer = bytearray(stamp.read_bytes())
    newer[len(records.MAGIC) + 1] = 9
    stamp.write_bytes(newer)
    with pytest.raises(StateRefused, match="has format 9; this version of notebook-mux reads format 1"):
        reread(kept)
    stamp.write_bytes(before["state"])
    assert files_in(kept) == before
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    with pytest.raises(StateRefused, match=r"is no state folder of .*: thesis\.tex is in it"):
        reread(foreign)
    assert list(foreign.iterdir()) == [foreign / "thesis.tex"]
    with pytest.raises(StateRefused, match="is no folder"):
        reread(foreign / "thesis.tex")
    with pytest.raises(StateRefused, match="cannot be used"):
        reread(foreign / "thesis.tex/below")


def test_no_permission(kept: Path):
    """Of a folder of another user, or of one that lets nobody in."""
    for part in (kept / "state", kept / "lock", kept):
        mode = part.stat().st_mode
        for above in kept.parents[:3]:
            above.chmod(0o755)
        kept.chmod(0o755)
        (kept / "lock").chmod(0o666)
        part.chmod(0)
        if os.getuid() == 0:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(StateRefused, match=r"the state folder .* cannot be used") as caught:
                reread(kept)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            part.chmod(mode)
        assert caught.value.said == "Permission denied"
    reread(kept)


@pytest.fixture
def little_room() -> Iterator[None]:
    """No file may grow beyond 4 KiB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk(tmp_path: Path, little_room: None):
    folder = tmp_path / "full"
    state, cluster = opened(folder, FAR)
    with state:
        kept: dict[str, str] = {}

        def fill() -> None:
            for number in range(100):
                change(cluster, f"c{number}", "x" * 100)
                kept[f"c{number}"] = "x" * 100

        with pytest.raises(NotKept, match="the state cannot be written to") as caught:
            fill()
        assert caught.value.said == "File too large"
        assert kept
        assert values(cluster) == kept  # what was refused was not made
        revision = cluster.store.revision
        with pytest.raises(NotKept):
            cluster.create(config_map("later"))
        with pytest.raises(NotKept):
            cluster.store.compact()
        assert cluster.store.revision == revision
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    assert reread(folder) == (kept, revision)


# ------------------------------------------------------------------------------------------- a playground with it

COMMAND = [sys.executable, "-m", "notebook_mux.playground"]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Starts a playground with its state in a folder; returns the process and a client with the first kubeconfig."""
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    running: list[subprocess.Popen[str]] = []
    copied = tmp_path / "copied"

    def start(*more: str) -> tuple[subprocess.Popen[str], Client]:
        process = subprocess.Popen([*COMMAND, "--state", str(tmp_path / "state"), *more],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        path = process.stdout.readline().strip()
        if not copied.exists():
            shutil.copy(path, copied)
        return process, Client(copied)

    yield start
    for process in running:
        process.kill()
        process.communicate()


CRD = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
       "metadata": {"name": "cars.example.com"},
       "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "cars", "kind": "Car"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}  # fmt: skip


@pytest.mark.timeout(120)
def test_kubeconfigs_objects_and_versions_outlive_the_process(served: Any):
    process, client = served("--scenario", "empty", "--port", str(quiet_port()))  # which is its own while it is down
    maps, cars = "/api/v1/namespaces/default/configmaps", "/apis/example.com/v1/namespaces/default/cars"
    assert client.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD).status == 201
    car = {"apiVersion": "example.com/v1", "kind": "Car", "metadata": {"name": "red"}, "spec": {"wheels": 4}}
    assert client.ask("POST", cars, car).status == 201
    first = client.ask("POST", maps, config_map("one", x="1")).json()["metadata"]
    uid = first["uid"]
    last = client.ask("PATCH", f"{maps}/one", {"data": {"x": "2"}}, media="application/merge-patch+json").json()
    assert client.ask("POST", maps, config_map("two")).status == 201
    process.send_signal(signal.SIGKILL)
    process.wait()

    process, client = served()
    found = client.get(maps).json()
    by_name = {one["metadata"]["name"]: one for one in found["items"]}
    assert by_name["one"]["metadata"] == last["metadata"]
    assert (by_name["one"]["data"], "two" in by_name) == ({"x": "2"}, True)
    assert client.get(f"{cars}/red").json()["spec"] == {"wheels": 4}
    assert int(found["metadata"]["resourceVersion"]) > int(last["metadata"]["resourceVersion"])
    # A watch from a version before the restart is told that it is too old; one from now on goes on.
    (told,) = client.events(maps, resourceVersion=first["resourceVersion"])
    assert (told["type"], told["object"]["reason"], told["object"]["code"]) == ("ERROR", "Expired", 410)
    with client.watch(maps, resourceVersion=found["metadata"]["resourceVersion"]) as events:
        new = client.ask("POST", maps, config_map("three")).json()["metadata"]
        assert next(events)["object"]["metadata"]["name"] == "three"
    assert int(new["resourceVersion"]) > int(found["metadata"]["resourceVersion"])
    assert new["uid"] not in (uid, by_name["two"]["metadata"]["uid"])
    other = subprocess.run([*COMMAND, "--state", str(Path(process.args[4]))], capture_output=True, text=True)
    assert other.returncode == 1
    assert other.stderr.startswith("StateInUse: another playground works in the state folder")
    process.kill()
    process.wait()
    with socket.create_server(("127.0.0.1", client.port)):
        taken = subprocess.run([*COMMAND, "--state", str(Path(process.args[4]))], capture_output=True, text=True)
    assert (taken.returncode, f"port {client.port} is taken" in taken.stderr) == (1, True)
    process, client = served()
    # The disk is full: the change is refused, and the playground ends, as etcd does.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
    refused = client.ask("POST", maps, config_map("four"))
    assert (refused.status, refused.json()["reason"]) == (500, "InternalError")
    assert refused.json()["message"].startswith("Internal error occurred: the state cannot be written to")
    assert process.wait(WAIT_S) == 1
    assert process.stderr.read().splitlines()[-2:] == [
        "  said: File too large", "  next: make room on that disk, then start the playground again",
    ]  # fmt: skip
    process, client = served("--port", "0")
    assert "four" not in {one["metadata"]["name"] for one in client.get(maps).json()["items"]}
    process.terminate()
    assert process.wait(WAIT_S) == 0
