"""What commands print, and when: compared with a shell's, and bounded."""

from __future__ import annotations

import subprocess
from itertools import islice
from typing import Any

import pytest

from notebook_mux.playground.stories import commands
from notebook_mux.playground.stories.commands import Execution, outcome, script_of
from notebook_mux.playground.stories.program import Scene

Json = dict[str, Any]


def container(*words: str, image: str = "busybox:1", **more: Any) -> Json:
    return {"name": "main", "image": image, "command": list(words), **more}


def shell(script: str) -> Json:
    return container("sh", "-c", script)


def run(made: Json, started: float = 0.0) -> Execution:
    script = script_of(made)
    assert script is not None, made
    return Execution(script, Scene({"metadata": {"name": "pod-1"}}, made, 0, started, None, ""), commands.STEPS)


SCRIPTS = [
    "echo hello",
    "echo a; echo b",
    "echo a && echo b || echo c",
    "false && echo a; echo b",
    "false || echo a",
    "true || echo a; echo b",
    "echo 'a $HOME;  b' \"c  d\"",
    'i=0; while [ $i -lt 4 ]; do echo "n $i"; i=$((i+1)); done; echo end',
    "i=3; until [ $i -eq 0 ]; do echo $i; i=$(( i - 1 )); done",
    "for x in a b c; do echo $x; done",
    "for x in $(seq 3); do for y in 1 2; do echo $x-$y; done; done",
    "seq 2 4",
    "seq 1 3 9",
    "echo -n a; echo b",
    'printf "%s is %d\\n" one 1',
    "# nothing\necho a # a comment\necho b",
    "echo a; exit 3; echo b",
    "exit 7",
    "false",
    "[ a = b ] || echo different",
    '[ -z "" ] && echo empty',
    "x='a b'; echo $x ${x}c",
    "echo \\$x \"\\$x\" 'it'\"'\"'s'",
    "echo err >&2; echo out",
    "i=7; echo $((i * 3 % 5)) $((-7 / 2)) $((i/2))",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_as_a_shell_does(script: str):
    real = subprocess.run(["sh", "-c", f"exec 2>&1; {script}"], capture_output=True, text=True, timeout=10)
    ours = run(shell(script))
    assert "".join(f"{text}\n" for _, text in ours) == real.stdout
    assert ours.code == real.returncode


REFUSED = [
    "cat /etc/passwd",
    "echo a | wc -l",
    "echo a > file",
    "sleep 1 & wait",
    "if true; then echo a; fi",
    "case a in a) echo;; esac",
    "f() { echo a; }; f",
    "echo ${x:-y}",
    "echo $?",
    "echo `date`",
    "echo $(cat x)",
    'echo "unfinished',
    "while true; do echo a",
    "echo a &&",
    "done",
    "(echo a)",
    "for x in 1; do echo $x",
    "while " * 4000 + "true; do done",
]


@pytest.mark.parametrize("script", REFUSED)
def test_what_is_not_understood_is_refused_as_a_whole(script: str):
    assert script_of(shell(script)) is None
    assert outcome(shell(script)) is None


def test_sleeping_takes_its_time():
    spoken = [(round(at, 1), text) for at, text in run(shell("echo a; sleep 5; echo b; sleep 1m; echo c"))]
    assert spoken == [(0.0, "a"), (5.0, "b"), (65.0, "c")]


def test_dates_are_those_of_the_container():
    noon = 1_760_000_000.0
    spoken = [text for _, text in run(shell("date; date +%s; date -u +%FT%TZ; echo at $(date +%H:%M)"), noon)]
    assert spoken == ["Thu Oct  9 08:53:20 UTC 2025", "1760000000", "2025-10-09T08:53:20Z", "at 08:53"]


def test_a_loop_for_ever_is_told_line_by_line_and_comes_to_its_limit():
    looping = shell("while true; do date; sleep 2; done")
    assert outcome(looping) is None
    assert [round(at) for at, _ in islice(run(looping), 4)] == [0, 2, 4, 6]
    flood = list(run(shell("while :; do echo y; done")))
    assert len(flood) == commands.STEPS // 2
    assert flood[-1][0] > 40


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (shell("echo a; sleep 5; exit 2"), (5.0, 2)),
        (container("echo", "hello; not a shell $x"), (0.0, 0)),
        (container("sleep", "3600"), (3600.0, 0)),
        (container("sleep", "infinity"), None),
        (container("tail", "-f", "/dev/null"), None),
        (container("nginx", "-g", "daemon off;"), None),
        ({"name": "a", "image": "docker.io/library/busybox:1", "args": ["echo", "a"]}, (0.0, 0)),
        ({"name": "a", "image": "nginx", "args": ["echo", "a"]}, None),
        ({"name": "a", "image": "busybox"}, None),
        (shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"), None),
    ],
)
def test_when_and_how_a_command_ends(made: Json, found: tuple[float, int] | None):
    ended = outcome(made)
    assert (ended and (round(ended[0]), ended[1])) == found


def test_a_word_and_a_number_stay_bounded():
    doubled = list(run(shell("a=xxxxxxxx; " + "a=$a$a$a$a; " * 30 + "echo $a")))
    assert commands.WORD_LIMIT / 2 < len(doubled[0][1]) <= commands.WORD_LIMIT
    assert len(next(iter(run(shell("n=9; " + "n=$((n*n)); " * 60 + "echo $n"))))[1]) < 25


def test_the_environment_and_the_host_are_the_containers():
    made = container("sh", "-c", "echo $GREETING from $HOSTNAME; hostname", env=[{"name": "GREETING", "value": "hi"}])
    assert [text for _, text in run(made)] == ["hi from pod-1", "pod-1"]
