"""A sandbox and who wants to get out of it, or to have all of the machine for themselves."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from notebook_mux.playground.sandbox import elf, possible, programs
from notebook_mux.playground.sandbox.box import Box, NoSandbox
from notebook_mux.playground.sandbox.inside import wires
from notebook_mux.playground.sandbox.inside.entries import FILE, BadEntries, Entry, pack, unpack
from notebook_mux.playground.sandbox.inside.plans import Limits, Plan
from notebook_mux.playground.sandbox.inside.running import Wanted
from notebook_mux.playground.sandbox.modes import SANDBOX
from tests.unit.playground.sandboxes import WAIT_S, Real, need, real, without
from tests.unit.playground.shells import pod
from tests.waiting import eventually, until

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CANARY = "canary-of-the-machine-4711"
ORDINARY = 12345
ENVIRONMENT = {"PATH": "/bin"}

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sandboxes need Linux")


def system_python() -> str:
    """A Python that others can run too; a skip names what is missing."""
    wanted = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for path in (wanted, "/usr/bin/python3"):
        if Path(path).exists():
            return os.path.realpath(path)
    pytest.skip("there is no /usr/bin/python3 to be let into a sandbox: install the system's Python")


@asynccontextmanager
async def box(plan: Plan | None = None, files: list[Entry] | None = None) -> AsyncIterator[Box]:
    if why := await possible.refusal():
        without(why)
    placed = programs.found().placed("/bin")
    wanted = replace(plan or Plan("box"), outer=possible.outer(), links=tuple(placed.links),
                     programs=(*placed.files, *(plan.programs if plan else ())))  # fmt: skip
    made = Box(wanted, [Entry("root/tmp", "d", 0o1777), *(files or [])])
    await made.start()
    try:
        yield made
    finally:
        made.close()
        await made.closed()


async def ran(where: Box, *words: str, stdin: bytes = b"") -> tuple[int, str]:
    """Exit code and all output."""
    (source, feed), (out, into) = os.pipe(), os.pipe()
    try:
        started = await where.run(Wanted(words, ENVIRONMENT, "/"), [source, into, into])
    finally:
        os.close(source)
        os.close(into)

    def write() -> None:
        with os.fdopen(feed, "wb") as file:
            try:
                file.write(stdin)
            except BrokenPipeError:
                pass

    def read() -> bytes:
        with os.fdopen(out, "rb") as file:
            return file.read()

    _, said = await asyncio.gather(asyncio.to_thread(write), asyncio.to_thread(read))
    return await asyncio.wait_for(started.end, WAIT_S), said.decode("utf-8", "replace")


async def sh(where: Box, script: str, stdin: bytes = b"") -> tuple[int, str]:
    return await ran(where, "sh", "-c", script, stdin=stdin)


# -------------------------------------------------------------------------------------------------- getting out

REFUSED = {
    name: set(codes.split())
    for codes, tried in {
        "EPERM": "mount umount pivot_root chroot unshare clone setns open_tree ptrace process_vm_readv keyctl bpf "
                 "perf_event_open userfaultfd io_uring_setup init_module kexec_load open_by_handle_at personality "
                 "reboot memfd_create shmget device setgroups typing-for-others",
        "ENOSYS": "clone3 newer",
        "EAFNOSUPPORT": "netlink packet vsock alg",
        "EACCES": "memory-of-the-first files-of-the-first root-of-the-first environment-of-the-first",
        "ENOENT EACCES EROFS ETXTBSY EPERM": "program itself core_pattern sysrq",
        "ENOENT": "file-of-the-machine by-a-link",
        "ECONNREFUSED": "port-of-the-machine socket-of-the-machine",
        "ESRCH": "process-of-the-machine",
        "EINVAL EPERM": "setuid",
    }.items()
    for name in tried.split()
}  # fmt: skip
"""What each try meets."""


def python_let_in() -> tuple[tuple[str, str], ...]:
    """A Python with all that it loads, as files to be seen inside."""
    python = system_python()
    asked = "import json, sysconfig as s; print(json.dumps([s.get_path('stdlib'), s.get_config_var('DESTSHARED')]))"
    library, modules = json.loads(subprocess.check_output([python, "-I", "-c", asked], text=True))
    loading = [python, *map(str, Path(modules).glob("_ctypes*.so"))]
    loaded = frozenset[str]().union(*map(elf.closure, loading))
    return (python, "/bin/python"), *((os.path.realpath(one), one) for one in (library, *loaded))


async def test_a_program_that_tries_everything(tmp_path: Path) -> None:
    secret = tmp_path / "kubeconfig"
    secret.write_text(CANARY)
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as named:
        named.bind(f"\0{CANARY}")
        named.listen()
        plan = Plan("box", address="10.244.0.9", programs=python_let_in())
        async with box(
            plan, [Entry("root/tmp/hostile.py", FILE, 0o644, 0, (HERE / "hostile.py").read_bytes())]
        ) as made:
            port = str(listening.getsockname()[1])
            code, said = await ran(
                made, "python", "-I", "-S", "/tmp/hostile.py", port, CANARY, str(secret), str(os.getpid())
            )
    assert code == 0, said
    told: dict[str, Any] = json.loads(said)
    found = {name: told[name] for name in REFUSED}
    assert {name: what for name, what in found.items() if what not in REFUSED[name]} == {}
    assert told["same root"] is True
    assert told["descriptors"] == [0, 1, 2, 3], "3 is the folder that is read"
    assert told["environment"].keys() <= {"PATH", "LC_CTYPE", "PWD", "SHLVL", "_"}
    status = told["status"]
    assert [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [0] * 5
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    own = {"/", "/dev", "/dev/pts", "/dev/shm", "/proc"}
    for mount in told["mounts"]:
        path, options = mount[4], set(mount[5].split(","))
        assert "nosuid" in options, mount
        if path not in own and not path.startswith("/dev/") and mount[3] != "/null":
            assert "ro" in options, mount
    assert not secret.with_name("device").exists()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp(CANARY)
    (folder / CANARY).write_text(CANARY)
    os.environ[CANARY.upper().replace("-", "_")] = CANARY
    with real(folder) as made:
        claim = {"volumes": [{"name": "v", "emptyDir": {}}]}
        made.pods(pod("p", "debian:13", claim, volumeMounts=[{"name": "v", "mountPath": "/v"}]))
        yield made
    del os.environ[CANARY.upper().replace("-", "_")]


def test_nothing_of_the_machine_is_there(here: Real) -> None:
    pattern = f"{CANARY[:-1]}[{CANARY[-1]}]"
    done = here.sh("p", f"grep -rls '{pattern}' / --exclude-dir=proc; tr '\\0' '\\n' < /proc/self/environ;"
                        "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; cat /proc/*/cmdline | tr '\\0' ' ';"
                        "cat /proc/mounts /proc/cmdline; ls -laR /root /home /etc /var /run /tmp /dev")  # fmt: skip
    assert CANARY not in done.out
    for word in (here.running.token, "kubeconfig", str(ROOT), f"{Path.home()}/"):
        assert word not in done.out.replace("root@", ""), word
    done = here.sh("p", "find / -xdev -perm /6000; find /dev -type b; ls /dev")
    known = "fd full null ptmx pts random shm stderr stdin stdout termination-log tty urandom zero"
    assert sorted(done.out.split()) == known.split()


def test_only_chosen_files_of_the_machine_are_there(here: Real) -> None:
    own = here.sh("p", "stat -c %d /").out.strip()
    listed = here.sh(
        "p", "find / -path /proc -prune -o -path /dev -prune -o -type f -printf '%D %p\\n'"
    ).out.splitlines()
    foreign = {line.partition(" ")[2] for line in listed if line.partition(" ")[0] != own}
    token = "/run/secrets/kubernetes.io/serviceaccount/"
    chosen = programs.found().placed("/usr/bin").paths
    assert {one for one in foreign if not one.startswith(token)} <= chosen
    assert not any(
        Path(one).name in {"python3", "perl", "gcc", "mount", "su", "sudo", "gdb", "nsenter"} for one in foreign
    )


def test_links_and_archives_lead_nowhere(here: Real, tmp_path: Path) -> None:
    """What is kept of a container's files are objects in memory: a link that is read outside is read there."""
    target = tmp_path / "outside"
    target.write_text(CANARY)
    here.sh("p", f"ln -s {target} /v/link; ln -s / /v/root; ln -s ../../../../.. /tmp/up")
    container = here.container("p")
    with pytest.raises(Exception, match="No such file"):
        here.running.call(lambda: container.files.read("/v/link"))
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in (f"../../../../../..{tmp_path}/escaped", f"{tmp_path}/escaped", "link/escaped"):
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
    here.run("p", "tar", "-xPf", "-", "-C", "/v", stdin=archive.getvalue())
    assert sorted(one.name for one in tmp_path.iterdir()) == ["outside"]
    assert target.read_text() == CANARY


def test_what_a_sandbox_says_is_not_believed(tmp_path: Path) -> None:
    for path in ("/etc/passwd", "../x", "a/../../x", "a//b", "", "a/./b", "x\0y"):
        with pytest.raises(BadEntries):
            list(unpack(pack([Entry(path, FILE, 0o644, 0, b"x")])))
    good = pack([Entry("a/b", FILE, 0o7777, 1.5, b"data")])
    assert list(unpack(good)) == [Entry("a/b", FILE, 0o7777, 1.5, b"data")]
    for bad in (b"\xff" * 4, good[:-1], good[:7], b"\0\0\0\2{}", b"\0\0\0\2[]", pack([Entry("a", "x")])):
        with pytest.raises(BadEntries):
            list(unpack(bad))
    for raw, files in ((b"", 0), (b" nonsense", 0), (b" []", 0), (b"+", 0), (b"b {}", 0), (b"+", 1), (b"b {}", 1)):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            pipe = os.pipe()
            socket.send_fds(theirs, [raw or b"x"], [pipe[0]] * files)
            ours.settimeout(5)
            with pytest.raises(wires.BadMessage):
                wires.receive(ours)
            for file in pipe:
                os.close(file)


# ------------------------------------------------------------------------------------------------ using too much


async def test_what_it_may_use_is_bounded() -> None:
    small = Limits(processes=24, memory_bytes=48 * 1024 * 1024, disk_bytes=6 * 1024 * 1024, files=900, cpu_s=1)
    async with box(Plan("box", limits=small)) as made:
        code, said = await sh(
            made, "i=0; while [ $i -lt 60 ]; do sleep 50 >/dev/null 2>&1 & i=$((i+1)); done; echo done"
        )
        assert "done" not in said, "a shell that cannot fork ends, or waits"
        assert len(named(made, "sleep")) < 24
        assert await sh(made, "kill -9 -1") == (0, "")
        await until(lambda: not named(made, "sleep"), "they have ended", seconds=WAIT_S)
        assert (await sh(made, "echo goes on")) == (0, "goes on\n")
        code, said = await sh(made, "bomb() { bomb | bomb & }; bomb >/dev/null 2>&1; sleep 1")
        await sh(made, "kill -9 -1")
        await until(lambda: len(of(made)) <= 1, "the bomb has ended", seconds=WAIT_S)
        code, said = await sh(made, "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}")
        assert (code, "200000000" in said) != (0, True)
        code, said = await sh(made, "dd if=/dev/zero of=/tmp/big bs=1M count=50 2>&1; ls -l /tmp/big; rm /tmp/big")
        assert "No space left on device" in said
        assert int(said.splitlines()[-1].split()[4]) <= small.disk_bytes
        code, said = await sh(made, "i=0; while [ $i -lt 2000 ]; do : > /tmp/$i || exit 9; i=$((i+1)); done")
        assert (code, "No space left" in said) == (2, True) or code == 9
        assert (await sh(made, "rm /tmp/[0-9]*; while :; do :; done"))[0] == 128 + signal.SIGXCPU
        assert (await sh(made, "kill -9 1; kill -STOP 1; echo $?"))[0] == 0
        assert (await sh(made, "echo goes on")) == (0, "goes on\n"), "its first process cannot be killed from inside"


def of(made: Box) -> list[psutil.Process]:
    """The processes of a sandbox, as they are seen outside; without its first."""
    assert made._process is not None
    first = psutil.Process(made._process.pid).children()
    return [one for process in first for one in process.children(recursive=True)]


def named(made: Box, name: str) -> list[psutil.Process]:
    """Those of this name; one may end while it is looked at."""
    found = []
    for one in of(made):
        with contextlib.suppress(psutil.NoSuchProcess):
            if one.name() == name:
                found.append(one)
    return found


# ------------------------------------------------------------------------------------------------- its end


def test_it_dies_with_the_playground(tmp_path: Path) -> None:
    need(SANDBOX)
    script = textwrap.dedent("""
        import asyncio, os, sys
        from notebook_mux.playground.sandbox import programs, possible
        from notebook_mux.playground.sandbox.box import Box
        from notebook_mux.playground.sandbox.inside.plans import Plan
        from notebook_mux.playground.sandbox.inside.running import Wanted
        async def main():
            await possible.refusal()
            box = Box(Plan("box", outer=possible.outer(), programs=tuple(programs.found().placed("/bin").files)), [])
            await box.start()
            file = os.open("/dev/null", os.O_RDWR)
            await box.run(Wanted(("sleep", "987654"), {"PATH": "/bin"}), [file, file, file])
            print("runs", flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        eventually(sleeping, "it has become the program", seconds=WAIT_S)
        process.kill()
    eventually(lambda: not sleeping(), "what ran in the sandbox has ended", seconds=WAIT_S)


def sleeping() -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "987654"]]


# ------------------------------------------------------------------------------------------ where it cannot be

REFUSING = """
import asyncio, platform
from notebook_mux.playground.sandbox.inside import calls, seccomp
calls.prctl(calls.PR_SET_NO_NEW_PRIVS, 1)
calls.install_filter(seccomp.program(platform.machine()))
"""
"""A process that may not make namespaces, as in many containers."""


def test_a_system_that_refuses_gets_the_emulation_and_hears_why() -> None:
    need(SANDBOX)
    script = REFUSING + textwrap.dedent("""
        from notebook_mux.playground.sandbox import entrance
        from notebook_mux.playground.shell.execution import Execution
        from tests.unit.playground.shells import container, with_pods
        async def main():
            cluster = with_pods()
            cluster.shell = "auto"
            where = container(cluster)
            assert await entrance.start(where, ["sh"], stdin=True, tty=True) is None
            shell = Execution(where, ["sh"], stdin=True, tty=True)
            shown = b""
            while b"/ # " not in shown:
                shown += await shell.stdout.read()
            print(shown.decode())
        asyncio.run(main())
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=WAIT_S)
    assert "an emulation of a shell" in done.stdout, done.stderr
    assert "There is no real shell here: the system refuses user namespaces (Operation not permitted)" in done.stdout
    assert "seccomp" in done.stdout
    asked = (
        REFUSING + "from notebook_mux.playground.__main__ import main\nraise SystemExit(main(['--shell', 'sandbox']))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT, timeout=WAIT_S)
    assert (done.returncode, "cannot have a real shell here" in done.stderr) == (1, True), done.stderr
    assert "refuses user namespaces" in done.stderr
    assert "leave --shell sandbox out" in done.stderr


@pytest.mark.parametrize(("step", "number", "words"), [
    ("namespaces", 28, "the system refuses user namespaces (No space left on device)"),
    ("root", 1, "the system refuses a root or a /proc of its own"),
    ("filter", 22, "the system has no filter of system calls, seccomp (Invalid argument)"),
    ("shell", None, "a shell in it ends with 1"),
])  # fmt: skip
def test_reasons_are_sentences(step: str, number: int | None, words: str) -> None:
    assert possible.sentence(NoSandbox("a shell in it ends with 1", step, number)).startswith(words)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="these tests run as an ordinary user already"
)
@pytest.mark.timeout(600)
def test_all_of_this_for_an_ordinary_user(request: pytest.FixtureRequest) -> None:
    need(SANDBOX)
    python = system_python() if _is_private(sys.executable) else sys.executable
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    asked = "import sys; print('%s.%s' % sys.version_info[:2])"
    if subprocess.check_output([python, "-c", asked], text=True).strip() != own:
        pytest.skip(f"{python} is no Python {own}, of which the packages here are: install that one")
    for path in (ROOT, Path(sysconfig.get_path("purelib"))):
        if _is_private(path):
            pytest.skip(f"an ordinary user cannot read {path}: keep the sources and the packages in a folder for all")
    # Not below pytest's own folder, which each session of this user's closes to others again.
    home = Path(tempfile.mkdtemp(prefix="sandbox-"))
    request.addfinalizer(lambda: shutil.rmtree(home))
    os.chown(home, ORDINARY, ORDINARY)

    def ordinary() -> None:
        os.setgroups([])
        os.setresgid(ORDINARY, ORDINARY, ORDINARY)
        os.setresuid(ORDINARY, ORDINARY, ORDINARY)

    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1",
                   "PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])}  # fmt: skip
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs",
         "-k", "not refuses and not sentences and not believed",
         str(HERE / "test_sandbox.py")],
        capture_output=True, text=True, cwd=ROOT, env=environment, preexec_fn=ordinary, timeout=540,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "1 skipped" in done.stdout.splitlines()[-1], done.stdout[-2000:]


def _is_private(path: str | Path) -> bool:
    """Whether somebody else cannot reach a path."""
    full = Path(os.path.realpath(path))
    return not all(one.stat().st_mode & 0o001 for one in full.parents)
