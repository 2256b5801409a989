# ruff: noqa: E501 - a script is one line, as it is typed
"""What hostile scripts cannot do: hang the process, fill its memory, reach the host."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from notebook_mux.playground.shell import worlds
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.effort import Effort
from notebook_mux.playground.shell.execution import Execution
from notebook_mux.playground.shell.inodes import CONTAINER_LIMIT, FILE_LIMIT
from notebook_mux.playground.shell.patterns import Budget, TooCostly, fits, replaced, trimmed
from notebook_mux.playground.shell.regex import Regex, RegexFault
from tests.unit.playground import shells
from tests.unit.playground.shells import Ended, run

TURN_S = 1.0
"""What a slow machine takes for one turn of the loop at most, of CPU: by the clock it is what else runs there that is
measured. Without a bound it would be for ever."""


@pytest.fixture(scope="module")
def place() -> Container:
    return shells.container(shells.with_pods())


ENDLESS = ["while true; do :; done", "yes > /dev/null", "cat /dev/zero | wc -c", "while :; do echo x; done | grep -c y",
           "f() { while :; do (echo a | cat >/dev/null) ; done; }; f", "tail -f /dev/null", "sort /dev/urandom",
           "until false; do true & done"]  # fmt: skip


@pytest.mark.parametrize("script", ENDLESS)
async def test_the_loop_goes_on_beside_what_never_ends(place: Container, script: str):
    """Other work has its turns while it runs, and it can be ended at any time."""
    execution = Execution(place, ["sh", "-c", script])
    slowest = 0.0
    for _ in range(20):
        before = time.thread_time()
        await asyncio.sleep(0)
        slowest = max(slowest, time.thread_time() - before)
    assert slowest < TURN_S
    execution.kill()
    async with asyncio.timeout(shells.WAIT_S):
        assert await execution.wait() in (137, 1), "sort may have given up before"
    for process in place.processes:
        if process.pid != 1:
            process.kill()


TOO_MUCH: list[tuple[str, str, str]] = [
    ("f() { f; }; f; echo on", "too many functions within functions", "on"),
    ("eval 'x() { eval x; }; x'; echo on", "too many evaluations within evaluations", "on"),
    ("echo 'sh /r' > /r; sh /r; echo on", "too many shells within shells", "on"),
    (
        "x=a; while :; do x=$x$x || break; [ ${#x} -lt 262144 ] || break; done; y=$x$x; echo ${#x}",
        "out of memory",
        "262144",
    ),
    ("echo $(yes); echo on", "out of memory", "on"),
    ("cat /dev/zero > /z; stat -c %s /z; rm /z", "File too large", str(FILE_LIMIT)),
    ("sort /dev/zero; echo on", "out of memory", "on"),
    ("(" * 60 + "echo" + ")" * 60, "too many commands within commands", ""),
    ("echo $((" + "(" * 60 + "1" + ")" * 60 + ")); echo on", "nested too deeply", "on"),
    ("ln -s /b /a; ln -s /a /b; cat /a; rm /a /b; echo on", "Too many levels of symbolic links", "on"),
    ("mkdir -p $(printf 'd/%.0s' $(seq 100)); rm -r d; echo on", "File name too long", "on"),
    ("set -- $(yes x | head -n 60000); echo on", "argument list too long", "on"),
    ("printf '%9999d' $(seq 300) > /dev/null; echo on", "out of memory", "on"),
    ("i=0; while [ $i -lt 150 ]; do sleep 9 & i=$((i+1)); done; kill -9 -1; echo on", "can't fork", ""),
]


@pytest.mark.parametrize(("script", "said", "out"), TOO_MUCH)
async def test_what_is_too_much_is_said(place: Container, script: str, said: str, out: str):
    ended = await run(place, script)
    assert (said in ended.err, ended.out.strip()) == (True, out), ended.err[-300:]


async def test_files_are_bounded_and_given_back(place: Container):
    script = "i=0; while head -c 1000000 /dev/zero > /tmp/f$i 2>/dev/null; do i=$((i+1)); done; echo $i; rm /tmp/f*"
    before = place.space.used
    place.effort = Effort(burst=10**9)
    ended = await run(place, script)
    assert int(ended.out) == (CONTAINER_LIMIT - before) // 1_000_256
    assert place.space.used == before
    await run(
        place,
        "i=0; while [ $i -lt 300 ]; do echo x > /tmp/g; mv /tmp/g /tmp/h; cp /tmp/h /tmp/i; i=$((i+1)); done; rm /tmp/h /tmp/i",
    )
    assert place.space.used == before


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a*)*c", "a{1,200}b", "(x|y|a)*(a|b)*z"])
def test_no_pattern_takes_for_ever(pattern: str):
    """None fits; what takes too long says so."""
    regex, text, found = Regex(pattern, extended=True), "a" * 3000 + "!", ""
    try:
        found = str(regex.search(text))
    except RegexFault as fault:
        found = str(fault)
    assert found in ("None", "the regular expression is too costly for the playground")


@pytest.mark.parametrize("pattern", ["((a{255}){255}){255}", "(" * 99 + ")" * 99, "a{999}"])
def test_no_pattern_is_too_big(pattern: str):
    with pytest.raises(RegexFault):
        Regex(pattern, extended=True)


def test_globs_are_bounded():
    assert not fits("a" * 1000, "*a" * 50 + "b")
    assert trimmed("a" * 1000, "*a*a*a*b", front=True, longest=True) == "a" * 1000
    with pytest.raises(TooCostly):
        fits("a" * 50_000, "*" + "a" * 1000 + "b")
    with pytest.raises(TooCostly):
        replaced("a" * 50_000, "*ab*ab*", "x", everywhere=True)
    for pattern in ("a", "[a]"):
        with pytest.raises(TooCostly, match="out of memory"):
            replaced("a" * 4_000, pattern, "b" * 4_000, everywhere=True)
    assert replaced("a.a\\", "a", "bb", everywhere=False) == "bb.a\\"
    assert replaced("a.a", r"\.", "-", everywhere=True) == "a-a"
    assert replaced("aa", "", "x", everywhere=True) == "aa"
    shared = Budget()
    with pytest.raises(TooCostly):
        any(fits("a" * 255, "*" + "a" * 100 + "b", shared) for _ in range(1000))


async def test_the_host_is_out_of_reach(place: Container, tmp_path: Path):
    """Whatever path is written, it leads to the emulation's own files."""
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    ended = Ended(0, "", "")
    for path in (
        secret,
        sys.executable,
        "/../../../../../.." + str(secret),
        f"/proc/self/root{secret}",
        f"/proc/1/root{secret}",
    ):
        ended = await run(place, f"cat {path}; ls -l {path}; echo x > {path}; [ -e {path} ] && echo there")
        assert "of the host" not in ended.out
    assert secret.read_text() == "of the host"
    assert place.files.node("/etc/hostname") is not None
    await run(place, f"mkdir -p {tmp_path}; echo inside > {secret}; cat {secret}")
    assert secret.read_text() == "of the host"


def test_no_module_of_the_emulation_opens_anything():
    """By its imports and names: no files, processes or sockets of the host."""
    folder = Path(worlds.__file__).parent
    refused = ("import os", "import subprocess", "import socket", "import shutil", "import pathlib", "import tempfile",
               "open(", "eval(", "exec(", "import glob", "import pty")  # fmt: skip
    allowed = {("inodes.py", "import os"), ("archive.py", "open(")}  # strerror; tarfile.open on bytes in memory
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for word in refused:
            lines = [
                line
                for line in text.splitlines()
                if word in line and not line.strip().startswith(("def ", "async def "))
            ]
            lines = [
                line for line in lines if (f"_{word}" not in line and f".{word}" not in line) or word == "import os"
            ]
            assert not lines or (path.name, word) in allowed, (path, lines)


def test_what_no_pattern_begins_with_is_passed_over():
    """A line of 60,000 characters is two units of effort, and nearly none of what a text may cost."""
    for pattern, text, found in (("[0-9]+x", "a" * 60_000 + "12x", (60_000, 60_003)), ("x.*y", "ab" * 30_000, None),
                                 ("^b|c", "ad" * 30_000 + "c", (60_000, 60_001)), ("a?", "b", (0, 0))):  # fmt: skip
        regex = Regex(pattern, extended=True)
        match = regex.search(text)
        assert (match and (match.start, match.end)) == found
        assert regex.owed() < 13


async def test_find_pays_for_its_patterns():
    place = shells.container(shells.with_pods())

    class Counted(Effort):
        spent = 0.0

        async def spend(self, units: float = 1.0) -> None:
            self.spent += units

    costs = []
    for name in ("x", "?" * 200):
        place.effort = counted = Counted()
        assert (await run(place, f"find /etc -name '{name}'")).code == 0
        costs.append(counted.spent)
    assert costs[1] > costs[0] + 20
