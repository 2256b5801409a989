"""A class as a teacher runs it: started, run again, added to, taken from, ended and started again; and its students."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from notebook_mux import aio as nm, errors
from notebook_mux.handles.waiting import awaiting
from notebook_mux.life import services
from tests.classes import COMMAND, RunningClass
from tests.serving import Place, quiet_port
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClass]:
    names = ["ann", "bob", "Cara.Smith@uni.example"]
    # Its gateway comes back to its port, to which nobody else comes meanwhile.
    options = ("--scenario", "crashloop", "--port", str(quiet_port()))
    running = RunningClass(tmp_path_factory.mktemp("class"), names, *options)
    yield running
    running.stop()


def shown_to_all(process: psutil.Process) -> str:
    """The words and the variables of a process."""
    return " ".join((*process.cmdline(), *process.environ().values()))


def test_what_is_handed_out_is_for_its_owner_alone(room: RunningClass):
    with (room.out / "class.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["namespace"]) for row in rows] == [
        ("ann", "ann"), ("bob", "bob"), ("Cara.Smith@uni.example", "cara-smith-uni-example"),
    ]  # fmt: skip
    for row in rows:
        assert row["link"] == room.link(row["namespace"])
        assert Path(row["kubeconfig"]) == room.kubeconfig(row["namespace"])
    links = [row["link"] for row in rows] + [room.link("teacher")]
    assert len(set(links)) == 4
    for path in (room.out, *(path for path in room.out.rglob("*") if path.is_file() or "state" not in path.parts)):
        assert path.stat().st_mode & 0o077 == 0, path
    tokens = [link.partition("token=")[2] for link in links]
    kept = [json.loads(room.kubeconfig(name).read_text())["users"][0]["user"]["token"] for name in ("ann", "teacher")]
    said = "\n".join(room.lines) + (room.out / "gateway.log").read_text() + (room.out / "users.csv").read_text()
    said += "".join(shown_to_all(one) for one in (psutil.Process(room.process.pid), room.gateway))
    for one in psutil.Process(room.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since, unlike those two
            said += shown_to_all(one)
    [service] = services.listing("class")
    said += json.dumps(services.status_of(service))
    assert [one["name"] for one in services.status_of(service)["students"]] == [row["name"] for row in rows]
    for secret in (*tokens, *kept):
        assert secret not in said


def test_each_has_a_namespace_and_no_way_into_anothers(room: RunningClass):
    assert room.kubectl("ann", "create", "deployment", "web", "--image=nginx").returncode == 0
    assert "web" in room.kubectl("ann", "get", "deploy").stdout
    for words in (
        ("get", "pods", "-n", "bob"),
        ("get", "secrets", "-n", "bob"),
        ("create", "configmap", "x", "-n", "bob"),
        ("delete", "namespace", "bob"),
        ("delete", "resourcequota", "class"),
        ("get", "namespaces"),
        ("get", "pods", "-A"),
        ("delete", "node", "node-1"),
        ("create", "clusterrolebinding", "x", "--clusterrole=cluster-admin", "--user=ann"),
        ("get", "pods", "--as=bob"),
        ("get", "--raw", "/notebook-mux/"),
    ):
        done = room.kubectl("ann", *words)
        assert done.returncode != 0, words
        assert "orbidden" in done.stderr, (words, done.stderr)
    binding = room.kubectl("ann", "create", "rolebinding", "x", "--clusterrole=cluster-admin", "--user=ann")
    assert "is attempting to grant RBAC permissions not currently held" in binding.stderr
    assert "node-1" in room.kubectl("ann", "get", "nodes").stdout
    assert room.kubectl("ann", "auth", "can-i", "create", "pods").stdout.strip() == "yes"
    assert "cara-smith" in room.kubectl("teacher", "get", "namespaces", "-l", "notebook-mux/student").stdout


def lesson(room: RunningClass, name: str) -> set[str]:
    """The names of what the lesson has put into a student's namespace."""
    return set(room.kubectl(name, "get", "deploy", "-l", "app!=web,app!=many", "-o", "name").stdout.split())


def test_the_lesson_is_the_same_and_its_answers_are_ones_own(room: RunningClass):
    found = {name: lesson(room, name) for name in ("ann", "bob", "cara-smith-uni-example")}
    assert {len(one) for one in found.values()} == {5}
    assert len({frozenset(one) for one in found.values()}) > 1
    with (room.out / "class.csv").open() as file:
        assert len({row["seed"] for row in csv.DictReader(file)}) == 3


def test_a_quota_and_limits_keep_a_loop_to_its_own(room: RunningClass):
    assert room.kubectl("bob", "create", "deployment", "many", "--image=nginx", "--replicas=200").returncode == 0
    eventually(lambda: "exceeded quota" in room.kubectl("bob", "get", "events").stdout, seconds=60, pause=0.3)
    used = json.loads(room.kubectl("bob", "get", "resourcequota", "class", "-o", "json").stdout)["status"]["used"]
    assert used["pods"] == "40"
    pod = json.loads(room.kubectl("bob", "get", "pods", "-l", "app=many", "-o", "json").stdout)["items"][0]
    assert pod["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "50m", "memory": "64Mi"}}
    eventually(lambda: "1/1" in room.kubectl("ann", "get", "deploy", "web").stdout, seconds=60, pause=0.3)
    first = '{"spec": {"priorityClassName": "system-node-critical"}}'
    refused = room.kubectl("ann", "run", "first", "--image=nginx", f"--overrides={first}")
    assert "exceeded quota: priority" in refused.stderr, "it would drive others' pods from their nodes"
    assert room.kubectl("bob", "delete", "deployment", "many").returncode == 0


async def test_the_link_alone_is_enough(room: RunningClass, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOTEBOOK_MUX_URL", room.link("ann"))
    manager = await nm.connect()
    [cluster] = manager.clusters.values()
    assert (cluster.namespace, cluster.context, cluster.write) == ("ann", "class", True)
    status = await nm.status()
    assert status.data["socket"]["user"] == "ann"
    assert "as ann" in repr(status)
    assert room.link("ann").partition("token=")[2] not in str(status.data)
    await nm.get("configmaps")
    pods = await nm.watch("pods", namespace="*")
    assert pods.objects
    assert {pod.namespace for pod in pods.objects} == {"ann"}
    with pytest.raises(errors.Forbidden):
        await nm.get("pods", namespace="bob")
    await nm.exec("deploy/web", ["true"])  # without a word of write=
    row = services.status_of(services.listing("class")[0])["students"][0]
    assert (row["name"], row["clients"]) == ("ann", 1)
    eventually(lambda: room.said("ann is connected (1 of 3 are there)"), seconds=60)
    assert (await nm.connect(write=False)).clusters["class"].write is False

    teacher = await nm.connect(url=room.link("teacher"))
    everywhere = await nm.table("pods", namespace="*")
    assert "ann" in {row["Namespace"] for row in everywhere.rows}
    assert len(await nm.get("namespaces", selector="notebook-mux/student")) == 3
    assert (await nm.status()).data["socket"]["user"] == "teacher"
    assert status.data["socket"]["user"] == "ann"  # two users of one gateway in one kernel are two connections
    assert (await awaiting(manager._get("pods", None, None, None, None, None))).objects
    for one in (manager, teacher):
        await awaiting(one._close())
    eventually(lambda: room.said("ann is gone"), seconds=60)


async def test_a_gateway_of_ones_own_to_the_same_class(room: RunningClass):
    manager = await nm.connect(kubeconfig=room.kubeconfig("ann"), write=True)
    [cluster] = manager.clusters.values()
    assert (cluster.namespace, cluster.write) == ("ann", True)
    assert (await nm.status()).data["socket"]["user"] == ""
    assert (await nm.exec("deploy/web", ["true"])).returncode == 0
    with pytest.raises(errors.Forbidden):
        await nm.get("pods", namespace="bob")
    await nm.close()


def test_the_same_again_adds_and_revokes_and_says_so(room: RunningClass):
    before = room.link("ann")
    gone = json.loads(room.kubeconfig("bob").read_text())["users"][0]["user"]["token"]
    assert (
        room.kubectl(
            "bob", "create", "rolebinding", "in", "--clusterrole=admin", "--serviceaccount=bob:default"
        ).returncode
        == 0
    )
    drawn = room.kubectl("bob", "create", "token", "default", "--duration=24h").stdout.strip()
    room.write(["ann", "Cara.Smith@uni.example", "dan"])
    done = room.again()
    assert done.returncode == 0, done.stderr
    assert "dan" in done.stdout
    assert "students/dan/link" in done.stdout
    assert "bob" not in done.stdout
    eventually(lambda: room.said("bob is not in the list any more"), seconds=60)
    assert room.link("ann") == before
    assert not (room.out / "students" / "bob").exists()
    assert room.kubectl("dan", "get", "pods").returncode == 0
    for token in (gone, drawn):  # what bob has drawn for an account of the namespace's is gone too
        refused = room.kubectl("ann", "get", "pods", "-n", "bob", "--token", token)
        assert "Unauthorized" in refused.stderr or "logged in" in refused.stderr
    assert "default" in room.kubectl("teacher", "get", "serviceaccounts", "-n", "bob").stdout
    room.write(["ann", "Cara.Smith@uni.example", "dan", "eve"])
    os.kill(room.process.pid, signal.SIGHUP)
    eventually(lambda: room.said("The list was read again: 4 students."), seconds=60)
    assert room.kubectl("eve", "get", "pods").returncode == 0


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["ann", "not a name"], (), "students.txt:3: 'not a name' cannot be"),
        ([], (), "names no student"),
        (["ann"], ("--reset", "zoe"), "'zoe' is no student of the list"),
        (["ann"], ("--seed", "7"), "has the seed 0, and not 7"),
        (["ann"], ("--scenario", "nonsense"), "there is no scenario 'nonsense' that can be built"),
        (["ann"], ("--host", "0.0.0.0"), "no address to reach this machine by"),
    ],
)
def test_what_is_wrong_changes_nothing(room: RunningClass, names: list[str], options: tuple[str, ...], words: str):
    kept = room.list.read_text()
    try:
        room.write(names)
        done = room.again(*options)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        room.list.write_text(kept)
    assert (room.out / "students" / "dan" / "link").exists()


def test_a_namespace_begins_anew(room: RunningClass):
    assert "web" in room.kubectl("ann", "get", "deploy").stdout
    link, before = room.link("ann"), lesson(room, "ann")
    done = room.again("--reset", "ann")
    assert done.returncode == 0, done.stderr
    assert "web" not in room.kubectl("ann", "get", "deploy").stdout
    assert lesson(room, "ann") == before
    assert room.kubectl("ann", "get", "resourcequota").stdout.count("class") == 1
    assert room.link("ann") == link


def test_the_gateway_is_started_again_where_it_was(room: RunningClass):
    gateway = room.gateway
    gateway.kill()
    eventually(lambda: room.again().returncode == 0, seconds=120, pause=0.5)
    assert room.gateway != gateway


def test_it_is_the_same_after_a_restart(room: RunningClass):
    assert room.kubectl("dan", "create", "configmap", "kept", "--from-literal=a=b").returncode == 0
    before = {name: (room.link(name), room.kubeconfig(name).read_bytes()) for name in ("ann", "dan", "teacher")}
    kept = lesson(room, "dan")
    cluster = yaml.safe_load(room.kubeconfig("ann").read_text())["clusters"][0]["cluster"]["server"]
    assert room.stop() == 0
    place = Place()
    place.keep(int(cluster.rpartition(":")[2]))  # it comes back to this one, too
    try:
        assert not [one for one in services.listing("class") if one.state == "running"]
        room.start()
    finally:
        place.give_up()
    assert {name: (room.link(name), room.kubeconfig(name).read_bytes()) for name in before} == before
    assert "kept" in room.kubectl("dan", "get", "configmaps").stdout
    assert lesson(room, "dan") == kept


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "list.txt").write_text("ann\n")
    done = subprocess.run(
        [*COMMAND, str(tmp_path / "list.txt"), "--dir", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "is no folder of a class: list.txt is in it" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]
