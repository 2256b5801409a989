"""Real programs in containers: files that go both ways, volumes, users, the network, and when all of it ends."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from notebook_mux.playground.sandbox import elf, entrance, files, names, pool
from notebook_mux.playground.sandbox.box import Box
from notebook_mux.playground.sandbox.doors import Doors
from notebook_mux.playground.sandbox.inside.entries import Entry
from notebook_mux.playground.sandbox.inside.serving import ROOT
from notebook_mux.playground.sandbox.modes import SANDBOX, NoSandboxHere
from notebook_mux.playground.sandbox.programs import Programs
from notebook_mux.playground.shell.streams import BrokenPipe
from tests.unit.playground.sandboxes import WAIT_S, Real, executed, need, real
from tests.unit.playground.shells import pod
from tests.unit.playground.worlds import config_map
from tests.waiting import eventually

Json = dict[str, Any]


def seconds_of(number: int) -> str:
    """So long sleeps a program of this process's tests: its word, and nobody else's on this machine."""
    return f"{os.getpid()}{number:02}"


EMPTY = {"name": "shared", "emptyDir": {}}
MOUNT = {"name": "shared", "mountPath": "/shared"}


def pair(name: str) -> Json:
    """Two containers that share a volume, and have a config map."""
    one = pod(name, "nginx:1.27", {"volumes": [EMPTY, {"name": "conf", "configMap": {"name": "conf"}}]},
              volumeMounts=[MOUNT, {"name": "conf", "mountPath": "/etc/conf"}], command=None)  # fmt: skip
    del one["spec"]["containers"][0]["command"]
    one["spec"]["containers"].append({"name": "side", "image": "busybox", "command": ["sleep", "infinity"],
                                      "volumeMounts": [{**MOUNT, "readOnly": True}]})  # fmt: skip
    return one


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real(tmp_path_factory.mktemp("sandbox")) as made:
        made.running.create(config_map("conf", key="one", other="two"))
        strict = {"runAsUser": 1000, "runAsGroup": 1000}
        made.pods(
            pod("p"), pair("web"), pod("user", "debian:13", securityContext=strict),
            pod("closed", "debian:13", {"volumes": [EMPTY]}, securityContext={"readOnlyRootFilesystem": True},
                volumeMounts=[MOUNT]),
            pod("late"), pod("bare", "gcr.io/distroless/static", command=["/app"]),
        )  # fmt: skip
        yield made


def test_output_codes_and_signals(here: Real):
    done = here.sh("p", "echo out; echo err >&2; exit 3")
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")
    assert here.sh("p", "kill -9 $$").code == 137
    assert here.run("p", "cat", stdin=bytes(range(256)) * 4096).out == (bytes(range(256)) * 4096).decode(
        "utf-8", "surrogateescape"
    )
    assert here.run("p", "wc", "-c", stdin=b"").out.strip() == "0"
    assert here.run("p", "cat").out == "", "without input there is none"
    assert here.sh("p", "sleep 60 & echo goes on").out == "goes on\n", "who holds the output open is not waited for"


def test_it_is_the_container(here: Real):
    done = here.sh(
        "p",
        "hostname; id -u; pwd; tr '\\0' ' ' < /proc/1/cmdline | sed 's/ *$//'; echo; env | sort; cat /etc/resolv.conf",
    )
    lines = done.out.splitlines()
    assert lines[:4] == ["p", "0", "/", "sleep infinity"]
    assert {"HOSTNAME=p", "HOME=/root", "KUBERNETES_SERVICE_PORT=443"} <= set(lines)
    assert "search default.svc.cluster.local svc.cluster.local cluster.local" in lines
    token = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert here.run("p", "cat", f"{token}/namespace").out == "default"
    assert here.run("p", "cat", f"{token}/token").out.count(".") == 2


def test_large_output_waits_for_who_reads_it(here: Real):
    async def slowly() -> int:
        where = here_container
        program = await entrance.start(where, ["sh", "-c", "yes 0123456789abcde | head -c 20000000; echo >/tmp/done"])
        assert program is not None
        waiting = asyncio.create_task(program.wait())
        await asyncio.sleep(0.5)
        before = await executed(where, "ls", "/tmp/done")
        count = 0
        while piece := await program.stdout.read():
            count += len(piece)
        assert (await waiting, before.code) == (0, 2)
        return count

    here_container = here.container("p")
    assert here.running.run(slowly()) == 20_000_000


def test_files_go_both_ways(here: Real):
    web = here.container("web")
    assert (
        here.sh("web", "cd /etc/nginx; rm mime.types; mkdir -p a/b; echo x > a/b/c; ln -s b a/l; chmod 600 a/b/c").code
        == 0
    )
    found = here.running.call(lambda: (web.files.read("/etc/nginx/a/l/c"), web.files.node("/etc/nginx/a/b/c").mode))
    assert found == (b"x\n", 0o600)
    assert "mime.types" not in here.running.call(lambda: web.files.folder("/etc/nginx").names())
    here.running.call(lambda: web.files.write("/etc/nginx/told", b"outside\n"))
    here.running.call(lambda: web.files.remove(web.files.there("/etc/nginx/a/b/c")))
    assert here.sh("web", "cat /etc/nginx/told; ls /etc/nginx/a/b").out == "outside\n"


class Slow:
    """A sandbox in which nothing happens, and into which files are put slowly: more come meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]):
        self.over = asyncio.Event()
        self.is_over = False
        self.on_signal: Any = None
        self.has: dict[str, bytes] = {}
        self._meanwhile = meanwhile

    async def changes(self) -> list[Entry]:
        return []

    async def put(self, entries: list[Entry]) -> None:
        self.has |= {entry.path: entry.data for entry in entries}
        self._meanwhile()

    def close(self) -> None:
        self.is_over = True


def test_what_changes_while_files_are_put_in_is_put_in_next(here: Real):
    where = here.container("p")

    async def exchanged() -> dict[str, bytes]:
        box: Any = Slow(lambda: where.files.write("/etc/second", b"2"))
        held = pool.Held(where, box, files.look(where), [], Doors(where.cluster))
        where.files.write("/etc/first", b"1")
        try:
            await held.exchange()
            assert (box.has[f"{ROOT}etc/first"], f"{ROOT}etc/second" in box.has) == (b"1", False)
            await held.exchange()
        finally:
            held.close()
        return box.has

    assert here.running.run(exchanged())[f"{ROOT}etc/second"] == b"2"


def test_what_was_changed_inside_is_not_put_in_again(here: Real, monkeypatch: pytest.MonkeyPatch):
    assert here.sh("web", "true").code == 0
    again: list[str] = []
    put = Box.put

    async def noted(box: Box, entries: list[Entry]) -> None:
        again.extend(entry.path for entry in entries)
        await put(box, entries)

    monkeypatch.setattr(Box, "put", noted)
    made = "mkdir -p /tmp/again/a; echo x > /tmp/again/a/b; ln -s a /tmp/again/l; cp /etc/hostname /etc/again"
    assert here.sh("web", made).code == 0
    assert here.sh("web", "rm -r /tmp/again; mv /etc/again /etc/moved").code == 0
    assert here.run("web", "ls", "/etc/moved", "/tmp/again").code == 2
    assert [path for path in again if path.startswith((f"{ROOT}tmp", f"{ROOT}etc"))] == [], "nor are its folders"


def test_volumes_are_shared_and_config_maps_are_read_only(here: Real):
    assert here.sh("web", "echo shared > /shared/file; cat /etc/conf/key").out == "one"
    assert here.sh("web", "cat /shared/file", container="side").out == "shared\n"
    for where, container in (("/etc/conf/key", "main"), ("/shared/file", "side")):
        done = here.sh("web", f"echo no > {where}", container=container)
        assert "Read-only file system" in done.err
    here.running.patch("configmaps", "conf", {"data": {"key": "changed"}})
    eventually(lambda: here.run("web", "cat", "/etc/conf/key").out == "changed", "the file has changed", seconds=WAIT_S)
    assert here.run("web", "readlink", "/etc/conf/key").out == "..data/key\n"


def test_users_and_a_closed_root(here: Real):
    done = here.sh("user", "id -u; id -g; touch /etc/no; touch /tmp/yes && echo made; echo $HOME")
    assert done.out == "1000\n1000\nmade\n/\n"
    assert "Permission denied" in done.err
    done = here.sh("closed", "touch /tmp/no; touch /shared/yes && echo made")
    assert (done.out, "Read-only file system" in done.err) == ("made\n", True)


def test_what_has_no_shell_says_so_as_ever(here: Real):
    async def start() -> Any:
        return await entrance.start(bare, ["sh"])

    bare = here.container("bare")
    assert here.running.run(start()) is None
    assert bare.emulated_because == "this image has no shell"


def test_who_shares_a_container_sees_the_others(here: Real):
    async def both() -> str:
        where = here_container
        sleeping = await entrance.start(where, ["sleep", long])
        assert sleeping is not None
        waiting = asyncio.create_task(sleeping.wait())
        listed = (await executed(where, "ps", "-o", "args", "-e")).out
        assert (await executed(where, "pkill", "-TERM", "-f", f"sleep {long}")).code == 0
        assert await asyncio.wait_for(waiting, WAIT_S) == 143
        return listed

    here_container, long = here.container("p"), seconds_of(54)
    assert f"sleep {long}" in here.running.run(both())


def test_which_programs_an_image_gets():
    """Of a machine with a busybox and some others: alpine's are busybox's, Debian's are the others first."""
    machine = Programs({name: f"/usr/bin/{name}" for name in ("bash", "ls", "sh")}, ("/lib/libc.so.6",))
    without = frozenset({"bash"})
    alpine = machine.placed("/bin", without, edits=True)
    assert ("/usr/bin/bash", "/bin/sh") in alpine.files, "it edits lines"
    assert ("/bin/bash" in alpine.paths, "/bin/sh" in alpine.shells) == (False, True)
    rich = replace(machine, busybox="/opt/busybox", applets=frozenset({"ls", "sh", "ash", "nslookup"}))
    alpine = rich.placed("/bin", without, edits=True)
    assert [path for _, path in alpine.files] == ["/bin/busybox", "/lib/libc.so.6"]
    assert {path for _, path in alpine.links} == {"/bin/ls", "/bin/sh", "/bin/ash", "/bin/nslookup"}
    debian = rich.placed("/usr/bin")
    assert {path for _, path in debian.links} == {"/usr/bin/ash", "/usr/bin/nslookup"}
    assert ("/usr/bin/ls", "/usr/bin/ls") in debian.files


@pytest.mark.skipif(sys.platform != "linux", reason="programs of Linux are read")
def test_what_a_program_loads_is_read_from_its_file(tmp_path: Path):
    loaded = elf.closure("/bin/sh")
    said = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=False).stdout
    told = {os.path.realpath(word) for word in said.split() if word.startswith("/")}
    assert {os.path.realpath(one) for one in loaded} == told
    head = Path("/bin/sh").read_bytes()
    for junk in (b"", b"#!/bin/sh\n", head[:40], head[:64], head[:60] + b"\xff" * 200):
        (tmp_path / "junk").write_bytes(junk)
        elf.read.cache_clear()
        with pytest.raises(elf.NoElf):
            elf.closure(str(tmp_path / "junk"))


class Clock:
    """Time goes on when the test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.skipif(sys.platform != "linux", reason="sandboxes need Linux")
def test_a_machine_that_was_too_busy_is_tried_again_and_one_that_refuses_is_not(monkeypatch: pytest.MonkeyPatch):
    need(SANDBOX)
    from notebook_mux.playground.sandbox import box, possible

    def answer() -> str:
        return asyncio.run(entrance.refusal())

    clock, patience = Clock(), box.START_S
    monkeypatch.setattr(possible, "time", clock)
    monkeypatch.setattr(possible, "_answer", None)
    monkeypatch.setattr(box, "START_S", 0.0)
    assert answer() == "it was not there within 0 s"
    monkeypatch.setattr(box, "START_S", patience)
    clock.now += possible.AGAIN_S - 1
    assert answer() == "it was not there within 0 s", "who comes next does not wait for another try"
    assert possible.may_pass()
    clock.now += 1
    assert answer() == ""
    assert not possible.may_pass()

    async def refused(*_: Any, **__: Any) -> None:
        raise box.NoSandbox("unshare", "namespaces", errno.EPERM)

    monkeypatch.setattr(possible, "_answer", None)
    with monkeypatch.context() as refusing:
        refusing.setattr(possible, "_try", refused)
        said = answer()
    clock.now += 1e6
    assert said.startswith("the system refuses user namespaces (Operation not permitted)")
    assert answer() == said
    assert not possible.may_pass()


async def test_other_systems_have_the_emulation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("platform.system", lambda: "Windows")
    assert await entrance.refusal() == "sandboxes need Linux, and this is Windows"
    with pytest.raises(NoSandboxHere, match="cannot have a real shell here"):
        await entrance.check()


async def _shown(where: Any, pieces: list[bytes]) -> bytes:
    program = await entrance.start(where, ["sh"], stdin=True, tty=True)
    assert program is not None
    shown = bytearray()

    async def read() -> None:
        while piece := await program.stdout.read():
            shown.extend(piece)

    reading, waiting = asyncio.create_task(read()), asyncio.create_task(program.wait())
    program.resize(91, 17)
    for count, piece in enumerate(pieces, 1):
        async with asyncio.timeout(WAIT_S):
            while shown.count(b"/ # ") < count and not waiting.done():  # a prompt before each, and not one of before
                await asyncio.sleep(0.02)
        await program.feed(piece)
    program.leave()
    await waiting
    await reading
    return bytes(shown)


def test_a_terminal_has_jobs(here: Real):
    shown = here.running.run(
        _shown(
            here.container("p"), [b"\r", b"stty size\r", b"sleep 300 &\r", b"jobs\r", b"kill %1\r", b"tty\r", b"exit\r"]
        )
    )
    assert b"17 91" in shown
    assert b"Running" in shown
    assert b"/dev/pts/" in shown


def test_the_network_is_the_cluster(here: Real):
    here.running.create({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "page", "namespace": "default"},
                         "spec": {"selector": {"app": "site"}, "ports": [{"port": 80}]}})  # fmt: skip
    site = pod("site", "nginx:1.27")
    del site["spec"]["containers"][0]["command"]
    site["metadata"]["labels"] = {"app": "site"}
    here.pods(site)
    fetched = lambda: here.sh("site", "curl -sS http://page", container="main")  # noqa: E731
    eventually(lambda: "Welcome to nginx" in fetched().out, "the service answers", seconds=WAIT_S)
    done = here.sh("site", "echo mine > /usr/share/nginx/html/index.html; curl -sS http://page localhost;"
                           "curl -sS http://nothere; curl -sS page:81; getent hosts page; nslookup page")  # fmt: skip
    assert done.out.startswith("mine\nmine\n")
    assert "Could not resolve host: nothere" in done.err
    assert "Failed to connect to page port 81" in done.err
    assert done.out.count("page.default.svc.cluster.local") == 2
    done = here.sh("site", "wget -q -O - http://page; echo $?; wget -q -O - http://nothere; echo $?; nslookup no")
    assert done.out.startswith("mine\n0\n1\n"), "where there is no such program, the emulation answers"
    assert done.err == "wget: bad address 'nothere'\n"
    account = "cd /var/run/secrets/kubernetes.io/serviceaccount"
    asks = '-H "Authorization: Bearer $(cat token)" https://kubernetes.default.svc/api/v1/nodes'
    api = here.sh("site", f"{account}; curl -sS --cacert ca.crt {asks}")
    assert "system:serviceaccount:default:default" in json.loads(api.out)["message"]
    here.running.delete("pods", "site")


def test_names_of_the_network():
    known = {"web.default.svc.cluster.local.": ["10.96.0.7"]}
    question = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x07default\x03svc\x07cluster\x05local\x00"
    answer = names.answer(question + b"\x00\x01\x00\x01", lambda name: known[name])
    assert answer is not None
    assert (answer[:4], answer[-4:]) == (b"\x00\x07\x85\x80", bytes([10, 96, 0, 7]))
    other = names.answer(question + b"\x00\x1c\x00\x01", lambda name: known[name])
    assert other is not None
    assert (other[3] & 15, other[6:8]) == (0, b"\x00\x00"), "it is there, and has no such address"
    none = names.answer(question.replace(b"web", b"wob") + b"\x00\x01\x00\x01", lambda name: known[name])
    assert none is not None
    assert none[3] & 15 == 3
    for junk in (b"", b"\x00" * 11, question[:20]):
        found = names.answer(junk, lambda name: known[name])
        assert found is None or found[3] & 15 == 1
    assert names.answer(b"\x00\x07\x81\x80" + question[4:], lambda _: []) is None, "an answer is not answered"


def test_the_idle_one_makes_room_and_comes_back_with_its_files(here: Real, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "MOST", 1)

    async def crowd() -> str:
        sleeping = await entrance.start(other, ["sleep", seconds_of(55)])
        assert sleeping is not None
        waiting = asyncio.create_task(sleeping.wait())
        assert await entrance.start(late, ["true"]) is None
        sleeping.leave()
        await waiting
        return late.emulated_because

    late, other = here.container("late"), here.container("user")
    here.sh("p", f"echo kept > /tmp/kept; sleep {seconds_of(56)} &")
    assert here.running.run(crowd()) == "1 sandboxes are in use, and there are no more at once"
    eventually(lambda: not _running(seconds_of(56)), "what ran in the idle one has ended", seconds=WAIT_S)
    monkeypatch.undo()
    assert here.run("p", "cat", "/tmp/kept").out == "kept\n"


def _running(word: str) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if word in (one.info["cmdline"] or ())]


def test_all_of_it_ends_with_its_pod(here: Real):
    async def begin() -> Any:
        program = await entrance.start(where, ["sleep", asked], stdin=True)
        assert program is not None
        return program, asyncio.ensure_future(program.wait())

    async def ends(program: Any, waiting: Any) -> int:
        code = await asyncio.wait_for(waiting, WAIT_S)
        with pytest.raises(BrokenPipe):
            await program.feed(b"x")
        return int(code)

    here.pods(pod("short"))
    where, asked, left = here.container("short"), seconds_of(57), seconds_of(58)
    here.sh("short", f"nohup sleep {left} >/dev/null 2>&1 &")
    program, waiting = here.running.run(begin())
    eventually(lambda: _running(asked) and _running(left), "both run", seconds=WAIT_S)
    here.running.delete("pods", "short")
    assert here.running.run(ends(program, waiting)) == 137
    eventually(lambda: not _running(asked) and not _running(left), "all has ended", seconds=WAIT_S)


def test_a_reset_begins_with_new_ones(tmp_path: Path):
    with real(tmp_path) as fresh:
        fresh.pods(pod("p"))
        left = seconds_of(59)
        assert fresh.sh("p", f"nohup sleep {left} >/dev/null 2>&1 & echo old > /tmp/old").code == 0
        eventually(lambda: _running(left), "it runs", seconds=WAIT_S)
        fresh.running.run(fresh.running.playground.first.reset())
        eventually(lambda: not _running(left), "what ran before has ended", seconds=WAIT_S)
        eventually(lambda: fresh.running.get("serviceaccounts", "default") is not None, "it is built", seconds=WAIT_S)
        fresh.pods(pod("p"))
        assert fresh.sh("p", "ls /tmp").out == ""
