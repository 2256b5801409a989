from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.tailing.lines import NS
from notebook_mux.tailing.reading import (
    CONTINUED,
    DEBUG,
    ERROR,
    FATAL,
    INFO,
    JSON,
    LEVEL_BITS,
    NONE,
    TRACE,
    WARNING,
    Reader,
    is_json,
    level_of,
)

LEVELS = [
    # text
    (b"ERROR something broke", ERROR),
    (b"[error] something broke", ERROR),
    (b"error: something broke", ERROR),
    (b"Error: something broke", ERROR),
    (b"WARN  [main] c.e.Service - slow", WARNING),
    (b"INFO: no ERROR was found", INFO),
    (b"all is well, 0 errors", NONE),
    (b"TERRORS and INFORMAL words", NONE),
    (b"GET /error?level HTTP/1.1 200", NONE),
    (b"", NONE),
    (b"   ", NONE),
    (b"<3>disk failure", ERROR),
    (b"<30>systemd says", INFO),
    (b"2026/11/29 19:30:05 [warn] 31#31: *1 an upstream response is buffered", WARNING),
    (b"2026-11-29 19:30:05.123 UTC [1] LOG:  database system is ready to accept connections", INFO),
    (b"2026-11-29 19:30:05.123 UTC [77] FATAL:  password authentication failed", FATAL),
    (b"\x1b[32mINFO\x1b[0m started", INFO),
    (b"\x1b[1;31m2026-11-29\x1b[0m \x1b[33mWRN\x1b[0m slow", WARNING),
    (b"[19:30:05 FTL] it is over", FATAL),
    (b"2026-11-29T19:30:05Z DBG connecting", DEBUG),
    (b"npm ERR! code ELIFECYCLE", ERROR),
    (b"2026-11-29 19:30:05 | SUCCESS  | app:main:1 - done", INFO),
    # logfmt
    (b'time="2026-11-29T19:30:05Z" level=warning msg="ERROR in its text"', WARNING),
    (b"ts=1 lvl=debug msg=x", DEBUG),
    (b"level=info ts=1", INFO),
    (b'msg="x" severity="CRITICAL"', FATAL),
    # klog
    (b"E1129 19:30:05.123456       1 reflector.go:138] failed to list", ERROR),
    (b"I1129 19:30:05.123456       1 main.go:10] ERROR is only its text", INFO),
    (b"W1129 19:30:05.123456       1 x.go:1] y", WARNING),
    (b"F1129 19:30:05.123456       1 x.go:1] y", FATAL),
    # Go
    (b"2026-11-29T19:30:05.123Z\tINFO\tmain.go:1\tstarted", INFO),
    (b"panic: runtime error: index out of range", FATAL),
    (b"fatal error: all goroutines are asleep - deadlock!", FATAL),
    (b"time=2026-11-29T19:30:05Z level=ERROR msg=x", ERROR),
    # Python
    (b"WARNING:root:watch out", WARNING),
    (b"2026-11-29 19:30:05,123 - app.core - DEBUG - value", DEBUG),
    (b"Traceback (most recent call last):", ERROR),
    (b"ValueError: bad", ERROR),
    (b"CRITICAL:app:gone", FATAL),
    # Java
    (b"2026-11-29 19:30:05,123 [http-1] ERROR c.e.Foo - bad", ERROR),
    (b"SEVERE: Servlet.service() threw", ERROR),
    (b'Exception in thread "main" java.lang.IllegalStateException: no', ERROR),
    (b"java.lang.NullPointerException: x is null", ERROR),
    (b"2026-11-29T19:30:05.1Z TRACE 1 --- [main] o.s.x : y", TRACE),
    # Node
    (b"TypeError: Cannot read properties of undefined", ERROR),
    (b"/app/server.js:12", ERROR),
    # JSON
    (b'{"level":"info","msg":"ERROR"}', INFO),
    (b'{"ts":1,"severity":"WARNING","message":"x"}', WARNING),
    (b'{"level":50,"time":1,"msg":"x"}', ERROR),
    (b'{"level":20,"msg":"x"}', DEBUG),
    (b'{"message":"x","severity":3}', ERROR),
    (b'{"@l":"Fatal","@m":"x"}', FATAL),
    (b'{"msg":"no level"}', NONE),
    (b'{"levelname": "ERROR", "message": "x"}', ERROR),
    (b'{"log.level":"error","message":"x"}', ERROR),
]


@pytest.mark.parametrize(("text", "level"), LEVELS, ids=lambda one: repr(one)[:40])
def test_levels(text: bytes, level: int) -> None:
    assert level_of(text) == level


def test_what_looks_like_a_json_object() -> None:
    assert is_json(b'{"a":1}')
    assert is_json(b'{ "a": 1 } \r')
    assert is_json(b"{}")
    assert not is_json(b"{not json}")
    assert not is_json(b'{"a":1')
    assert not is_json(b"[1]")
    assert Reader().read([1], [b'{"level":"error"}']) == [ERROR | JSON]


TRACES = {
    "python": b"""INFO:root:before
ERROR:root:it failed
Traceback (most recent call last):
  File "/app/x.py", line 1, in <module>
    run()
  File "/app/x.py", line 2, in run
    raise ValueError("bad")
ValueError: bad

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/x.py", line 9, in <module>
    again()
app.errors.Again: worse
INFO:root:after""",
    "python alone": b"""before
Traceback (most recent call last):
  File "/app/x.py", line 1, in <module>
    run()
KeyboardInterrupt
after""",
    "java": b"""INFO before
2026-11-29 ERROR [main] c.e.Foo - it failed
\tat c.e.Foo.run(Foo.java:1)
\tat c.e.Main.main(Main.java:2)
Caused by: java.lang.NullPointerException: x
\tat c.e.Foo.inner(Foo.java:9)
\t... 2 more
INFO after""",
    "java alone": b"""INFO before
java.lang.IllegalStateException: no
\tat c.e.Foo.run(Foo.java:1)
\tSuppressed: java.io.IOException: closed
\t\tat c.e.Bar.close(Bar.java:3)
Caused by: java.lang.RuntimeException
\t... 9 more
INFO after""",
    "go": b"""starting
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b5a5]

goroutine 1 [running]:
main.(*server).handle(0x0, {0xc000012345, 0x5})
\t/app/main.go:12 +0x1d
main.main()
\t/app/main.go:5 +0x20
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3285 +0x4b4
exit status 2
starting again""",
    "node": b"""listening
/app/server.js:12
    throw new Error("boom")
    ^

Error: boom
    at handler (/app/server.js:12:11)
    at node:internal/main/run_main_module:17:47 {
  code: 'EBOOM'
}

Node.js v22.0.0
listening again""",
}


@pytest.mark.parametrize("kind", TRACES)
def test_a_trace_is_kept_together(kind: str) -> None:
    texts = TRACES[kind].split(b"\n")
    flags = Reader().read([10**18 + at for at in range(len(texts))], texts)
    heads = [text for text, flag in zip(texts, flags, strict=True) if not flag & CONTINUED]
    first = {"python": 2, "java": 2}.get(kind, 2)
    assert heads == [*texts[:first], texts[-1]]
    assert {flag & LEVEL_BITS for flag in flags[first:-1]} == {flags[first - 1] & LEVEL_BITS}
    assert flags[first - 1] & LEVEL_BITS >= ERROR
    assert flags[-1] & LEVEL_BITS in (INFO, NONE)


def test_a_trace_that_comes_in_pieces_is_kept_together() -> None:
    for texts in (trace.split(b"\n") for trace in TRACES.values()):
        whole = Reader().read([1] * len(texts), texts)
        reader = Reader()
        assert [flag for text in texts for flag in reader.read([1], [text])] == whole


def test_indented_lines_belong_to_the_one_above_and_a_first_one_does_not() -> None:
    texts = [b"  first", b"{", b'  "a": 1,', b"}", b"next", b"", b"last"]
    flags = [bool(flag & CONTINUED) for flag in Reader().read([1] * 7, texts)]
    assert flags == [False, False, True, True, False, False, False]


def test_a_program_that_indents_all_it_says_is_not_one_line_for_ever() -> None:
    stamps = [10**18 + at * NS for at in range(60)]
    flags = Reader().read(stamps, [b"  item"] * 60)
    heads = [at for at, flag in enumerate(flags) if not flag & CONTINUED]
    assert len(heads) == 10
    reader = Reader()
    assert not reader.read([1], [b"Traceback (most recent call last):"])[0] & CONTINUED
    assert [flag & CONTINUED for flag in reader.read([1 + 60 * NS] * 2, [b"ValueError: of another", b"x"])] == [0, 0]
    assert not Reader().read([10**18, 10**18 - 60 * NS], [b"x", b"  a clock that was set back"])[1] & CONTINUED


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_anything_can_be_read(texts: list[bytes]) -> None:
    flags = Reader().read([1] * len(texts), texts)
    assert len(flags) == len(texts)
    assert all(0 <= flag < 128 for flag in flags)


HOSTILE = [
    b"A" * 256 * 1024,
    b"a." * 100_000 + b"Error",
    b"[" * 200_000,
    b"[ " * 100_000,
    b"\x1b[" + b"1;" * 100_000,
    b"\x1b" * 200_000,
    b"panic: " + b"a/b." * 50_000,
    b'{"level":' + b" " * 200_000,
    b'{"' + b"level" * 40_000,
    b" " * 256 * 1024,
    b"\x00" * 256 * 1024,
    b"<" * 200_000,
    b"(" + b"x" * 200_000,
    b"a" * 99 + b"." + b"a" * 99 + b"." + b"b" * 200,
    b"main" * 200 + b")",
]


def test_hostile_lines_end() -> None:
    """A pattern that backtracks would take hours, and meets the time limit of tests."""
    for text in HOSTILE:
        Reader().read([1] * 4, [b"panic: x", text, text, text])
        Reader().read([1] * 4, [b"Traceback (most recent call last):", b"  x", text, text])
        Reader().read([1] * 4, [b"ERROR x", b"  x", text, text])
