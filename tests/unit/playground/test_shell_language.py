# ruff: noqa: E501 - a script is one line, as it is typed
"""The language of the emulated shell: what a script writes, and its exit code."""

from __future__ import annotations

import pytest

from notebook_mux.playground.shell import parser
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.parser import Incomplete, SyntaxFault
from tests.unit.playground import shells
from tests.unit.playground.shells import run


@pytest.fixture(scope="module")
def place() -> Container:
    return shells.container(shells.with_pods())


SCRIPTS: list[tuple[str, str, int]] = [
    # words, quotes, parameters
    ("echo \"a  b\" 'c  d' e\\ f g\\'h", "a  b c  d e f g'h\n", 0),
    ("x='1  2'; echo $x; echo \"$x\"; y=$x; echo \"[$y]\"", "1 2\n1  2\n[1  2]\n", 0),
    ("echo ${u:-d} ${u-e} \"${u:+no}\" ${u:=set} $u ${#u}", "d e  set set 3\n", 0),
    ("p=/a/b.tar.gz; echo ${p##*/} ${p%.*} ${p%%.*} ${p#/} ${p/b/X} ${p:1:3}", "b.tar.gz /a/b.tar /a/b a/b.tar.gz /a/X.tar.gz a/b\n", 0),
    ("set -- 1 '2 3'; echo $# \"$1\" $2; for a in \"$@\"; do echo [$a]; done; shift; echo $1; echo \"$*\"", "2 1 2 3\n[1]\n[2 3]\n2 3\n2 3\n", 0),
    ("IFS=:; x=a:b::c; for p in $x; do echo \"<$p>\"; done", "<a>\n<b>\n<>\n<c>\n", 0),
    ("echo $((1 + 2 * 3)) $(( (1+2)*3 )) $((7/2)) $((-7/2)) $((7%3)) $((1<2 && 3>2)) $((0x10)) $((2**10))", "7 9 3 -3 1 1 16 1024\n", 0),
    ("i=5; echo $((i++)) $i $((++i)) $((i += 3)) $i $((i > 3 ? 1 : 0))", "5 6 7 10 10 1\n", 0),
    ("echo $(echo a; echo b) `echo c` \"$(printf 'd\\n\\n')\"", "a b c d\n", 0),
    ("cat <<E\n$((1+1)) ${HOSTNAME} \\$x\nE\ncat <<'E'\n$x\nE\ncat <<-E\n\tt\n\tE\ncat <<< w", "2 p $x\n$x\nt\nw\n", 0),
    ("cat <<A; echo mid; cat <<B\na\nA\nb\nB", "a\nmid\nb\n", 0),
    ("cd /etc; echo hos*; echo *.none \"hos*\" [a-g]roup; echo /e?c", "hostname hosts\n*.none hos* group\n/etc\n", 0),
    ("echo ~ ~/x '~'; a=~; echo $a", "/root /root/x ~\n/root\n", 0),
    # lists, pipes, redirects
    ("false || echo or; true && echo and; ! false && echo not; false; echo $?", "or\nand\nnot\n1\n", 0),
    ("echo a b | tr a-z A-Z | cat; echo x | grep -q y; echo $?", "A B\n1\n", 0),
    ("{ echo o; echo e >&2; } 2>&1 | sort; (echo sub; exit 4); echo $?", "e\no\nsub\n4\n", 0),
    ("echo 1 > /tmp/f; echo 2 >> /tmp/f; cat < /tmp/f; cat /tmp/f /nope 2> /tmp/e > /tmp/o; cat /tmp/e", "1\n2\ncat: can't open '/nope': No such file or directory\n", 0),
    ("ls /nope >/tmp/all 2>&1; cat /tmp/all; echo gone > /dev/null; cat /dev/null", "ls: /nope: No such file or directory\n", 0),
    ("echo to > /tmp/a; { read x; echo $x; cat; } <<E\n1\n2\nE", "1\n2\n", 0),
    ("yes | head -n 2; echo ${?}", "y\ny\n0\n", 0),
    # compound commands
    ("for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done; i=0; while [ $i -lt 9 ]; do i=$((i+1)); [ $i -eq 3 ] && break; done; echo $i", "1\n3\n3\n", 0),
    ("if [ -d /etc ] && [ ! -e /nope ]; then echo y; else echo n; fi; if false; then :; elif true; then echo elif; fi", "y\nelif\n", 0),
    ("case a.txt in *.md|*.rst) echo doc;; *.txt) echo text;; esac; case x in y) echo no;; esac; echo $?", "text\n0\n", 0),
    ("until [ -e /tmp/u ]; do touch /tmp/u; echo once; done; for i; do echo no; done", "once\n", 0),
    ("f() { local v=in; echo \"$1 $v\"; return 3; }; v=out; f arg; echo $? $v", "arg in\n3 out\n", 0),
    ("printf 'a b\\nc d\\n' | while read x y; do echo \"$y $x\"; done", "b a\nd c\n", 0),
    # the shell's own
    ("set -e; echo a; false; echo never", "a\n", 1),
    ("set -e; if false; then :; fi; false || true; ! true; echo on", "on\n", 0),
    ("trap 'echo bye' EXIT; exit 7", "bye\n", 7),
    ("export A=1; B=2; sh -c 'echo $A-$B'; C=3 sh -c 'echo $C'; echo \"[$C]\"", "1-\n3\n[]\n", 0),
    ("eval 'x=1; echo $x'; echo 'y=2' > /tmp/s; . /tmp/s; echo $y; type cd cat; command -v ls", "1\n2\ncd is a shell builtin\ncat is /bin/cat\n/bin/ls\n", 0),
    ("printf '%s-%03d|%x|%5.1f|%-3s|%%\\n' a 7 255 2.25 z; echo -n x; echo -e '\\ty'", "a-007|ff|  2.2|z  |%\nx\ty\n", 0),
    ("[ 1 -lt 2 -a b = b ] && [ ! \\( 1 = 2 \\) ] && test -z '' && echo ok; [ x -eq 1 ] 2>/dev/null; echo $?", "ok\n2\n", 0),
    ("cd /tmp && cd - && cd; pwd; cd /nope 2>/dev/null; echo $?", "/\n/root\n2\n", 0),
    ("sleep 0.01 & wait $!; echo $?; sleep 60 & kill $!; wait $!; echo $?", "0\n143\n", 0),
    ("printf '#!/bin/sh\\necho script $1\\n' > /tmp/x; chmod +x /tmp/x; /tmp/x arg; chmod -x /tmp/x; /tmp/x 2>/dev/null; echo $?", "script arg\n126\n", 0),
    ("exit 300", "", 44),
    ("kill -9 $$", "", 137),
]  # fmt: skip


@pytest.mark.parametrize(("script", "out", "code"), SCRIPTS)
async def test_what_a_script_writes(place: Container, script: str, out: str, code: int) -> None:
    ended = await run(place, script)
    assert (ended.out, ended.code) == (out, code), ended.err


FAULTS: list[tuple[str, str, str, int]] = [
    ("sh", "nope", "sh: nope: not found\n", 127),
    ("sh", "/etc/hostname", "sh: /etc/hostname: Permission denied\n", 126),
    ("sh", "if true", "sh: syntax error: unexpected end of file\n", 2),
    ("sh", "echo )", 'sh: syntax error: unexpected ")"\n', 2),
    ("sh", "echo 'a", "sh: syntax error: unterminated quoted string\n", 2),
    ("sh", "echo $((1/0))", "sh: divide by zero\n", 1),
    ("sh", "echo x > /nope/y", "sh: can't create /nope/y: nonexistent directory\n", 1),
    ("sh", "cat < /nope", "sh: can't open /nope: no such file\n", 1),
    ("sh", "echo x > /etc", "sh: can't create /etc: Is a directory\n", 1),
    ("sh", "set -u; echo $nope; echo on", "sh: nope: parameter not set\n", 2),
    ("sh", ": ${x:?is needed}", "sh: x: is needed\n", 1),
]


@pytest.mark.parametrize(("shell", "script", "err", "code"), FAULTS)
async def test_what_it_says_of_faults(place: Container, shell: str, script: str, err: str, code: int) -> None:
    ended = await run(place, script, shell)
    assert (ended.err, ended.out, ended.code) == (err, "", code)


async def test_a_script_from_the_input_is_run_as_it_comes(place: Container) -> None:
    script = b'x=1\nfor i in 1 2; do\n  echo $i$x\ndone\nread y\nthe line\necho "[$y]"; exit 5\necho never\n'
    ended = await shells.execute(place, "sh", stdin=script)
    assert (ended.out, ended.code) == ("11\n21\n[the line]\n", 5)


@pytest.mark.parametrize(
    "text", ["if true; then", "echo 'a", 'echo "$(ls', "cat <<E\nx", "a |", "f() {", "echo \\", "${x"]
)
def test_what_goes_on_in_the_next_line(text: str) -> None:
    with pytest.raises(Incomplete):
        parser.parse(text)


@pytest.mark.parametrize("text", [")", "fi", "a ;; b", "| a", "for 1 in x; do :; done", "echo ${}", "a && && b", "( a"])
def test_what_is_no_script(text: str) -> None:
    with pytest.raises(SyntaxFault):
        parser.parse(text)
