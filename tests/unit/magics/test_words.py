from __future__ import annotations

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.magics.words import expanded, read

NAMES = {"name": "web", "n": 3, "pod": {"name": "db-0"}, "labels": ["a", "b"]}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("get pod {name}-0 -n $name", "get pod web-0 -n web"),
        ("scale deploy web --replicas={n + 1}", "scale deploy web --replicas=4"),
        ("get pod {pod['name']}", "get pod db-0"),
        ("get pods -l app=$unknown {unknown}", "get pods -l app=$unknown {unknown}"),
        ("get po -o jsonpath='{.items[*].metadata.name}'", "get po -o jsonpath='{.items[*].metadata.name}'"),
        (r"jsonpath='{range .items[*]}{.kind}{\"\n\"}{end}'", r"jsonpath='{range .items[*]}{.kind}{\"\n\"}{end}'"),
        ("-o go-template='{{.metadata.name}} {{range $k, $v := .data}}{{end}}' $n",
         "-o go-template='{{.metadata.name}} {{range $k, $v := .data}}{{end}}' 3"),
        ("exec web -- sh -c 'echo $$HOME $name'", "exec web -- sh -c 'echo $HOME web'"),
        ("patch deploy web -p '{\"spec\":{\"replicas\":{n}}}'", "patch deploy web -p '{\"spec\":{\"replicas\":3}}'"),
    ],
)  # fmt: skip
def test_variables(line: str, wanted: str) -> None:
    assert expanded(line, NAMES) == wanted


@pytest.mark.parametrize(
    ("line", "verb", "names", "flags"),
    [
        ("get pods -A", "get", ("pods",), {"all-namespaces": ("true",)}),
        ("-n shop --context prod get po db-0", "get", ("po", "db-0"), {"namespace": ("shop",), "context": ("prod",)}),
        ("get po -nshop -owide -lapp=web", "get", ("po",),
         {"namespace": ("shop",), "output": ("wide",), "selector": ("app=web",)}),
        ("get po -o=json --watch=false", "get", ("po",), {"output": ("json",), "watch": ("false",)}),
        ("logs -f web-0 -c app --tail 5", "logs", ("web-0",),
         {"follow": ("true",), "container": ("app",), "tail": ("5",)}),
        ("logs -fp web-0", "logs", ("web-0",), {"follow": ("true",), "previous": ("true",)}),
        ("apply -f a.yaml -f b.yaml", "apply", (), {"filename": ("a.yaml", "b.yaml")}),
        ("exec -itc app web-0 -- ls -t", "exec", ("web-0",),
         {"stdin": ("true",), "tty": ("true",), "container": ("app",)}),
        ("rollout status deploy/web -w", "rollout", ("status", "deploy/web"), {"watch": ("true",)}),
        ("", "", (), {}),
    ],
)  # fmt: skip
def test_verb_names_and_flags(line: str, verb: str, names: tuple[str, ...], flags: dict[str, tuple[str, ...]]) -> None:
    words = read(line)
    assert (words.verb, words.names, words.flags) == (verb, names, flags)


def test_what_is_for_the_program_is_no_flag() -> None:
    words = read("exec web-0 -- sh -c 'ls -t --no-raise-error; echo hi'")
    assert words.program == ("sh", "-c", "ls -t --no-raise-error; echo hi")
    assert words.raises
    assert words.text == "kubectl exec web-0 -- sh -c 'ls -t --no-raise-error; echo hi'"


def test_our_own_words_do_not_reach_kubectl() -> None:
    words = read("--no-raise-error get pods;")
    assert words.all == ("get", "pods")
    assert not words.raises
    assert not words.shows
    assert not read("get po --watch=false").has("watch")


def test_a_quote_that_is_not_closed() -> None:
    with pytest.raises(InvalidArgument, match="cannot be read") as caught:
        read("get pods -l 'app=web")
    assert caught.value.todo == "close the quote"
