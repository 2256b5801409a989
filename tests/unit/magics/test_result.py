from __future__ import annotations

import json

import pytest

from notebook_mux.errors import InvalidArgument, KubectlFailed
from notebook_mux.magics.looks import MAX_LINES
from notebook_mux.magics.result import KubectlResult
from notebook_mux.magics.words import read
from tests.unit.magics.test_tables import PODS, SEVERAL

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31mred\x1b[0m\u202egnp.exe"


def result(line: str, text: str = "", stderr: str = "", returncode: int = 0, **more: object) -> KubectlResult:
    return KubectlResult(read(line), text, stderr, returncode, **more)  # type: ignore[arg-type]


def test_rows_and_frame() -> None:
    pods = result("get pods", PODS)
    assert [row["NAME"] for row in pods] == ["flaky-2rfvgkxjx2-2s4x7", "api-xtkw4j7jfk-g2jk6"]
    assert len(pods) == 2
    assert pods.df()["READY"].tolist() == ["0/1", "1/1"]
    both = result("get all", SEVERAL)
    assert [len(table.rows) for table in both.tables] == [1, 1]
    assert both.columns[:2] == ["NAME", "TYPE"]
    assert both.df()["UP-TO-DATE"].isna().tolist() == [True, False]
    assert result("get deploy", SEVERAL.split("\n\n")[1]).df()["AVAILABLE"].sum() == 2


def test_data() -> None:
    made = {"metadata": {"creationTimestamp": "2026-11-30T09:07:48Z"}, "n": 3}
    assert result("get cm x -o json", json.dumps(made)).data == made
    assert result("get cm x -ojson", json.dumps(made) + "\n" + json.dumps(made)).data == [made, made]
    assert result("get cm x -o yaml", "a: 2026-11-30T09:07:48Z\nb: [1]\n").data == {
        "a": "2026-11-30T09:07:48Z",
        "b": [1],
    }
    with pytest.raises(InvalidArgument, match="no JSON or YAML"):
        _ = result("get pods", PODS).data
    assert result("get pods -o name", "pod/web-0\n").rows == []


@pytest.mark.parametrize("line", ["get pods", "get pods -o json", "get pods -o yaml", "describe pod x", "diff -f x",
                                  "logs web-0", "--no-raise-error get pods"])  # fmt: skip
def test_nothing_of_a_cluster_s_gets_into_the_page(line: str) -> None:
    bundle = result(
        line, f"NAME   {HOSTILE}\nx      {HOSTILE}\n", HOSTILE, 1 if "raise" in line else 0
    )._repr_mimebundle_()
    assert "<img" not in bundle["text/html"]
    assert "&lt;img" in bundle["text/html"]
    for text in bundle.values():
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_states_have_colours() -> None:
    html = result("get pods", PODS)._repr_mimebundle_()["text/html"]
    assert 'error-color1,#c62828);font-weight:600">CrashLoopBackOff<' in html
    assert 'success-color1,#2e7d32)">Running<' in html
    assert 'warn-color1,#b26a00)">0/1<' in html


def test_yaml_and_json_have_colours() -> None:
    assert (
        'keyword-color,#1565c0)">kind</span>'
        in result("get po -o yaml", "kind: Pod\n")._repr_mimebundle_()["text/html"]
    )
    assert "<span" in result("get po -o json", '{"kind": 1}')._repr_mimebundle_()["text/html"]


def test_what_is_shown_is_bounded() -> None:
    text = "".join(f"line {n}\n" for n in range(MAX_LINES + 5))
    shown = repr(result("describe po", text))
    assert shown.splitlines()[-1] == "… 5 more lines, see .text"
    assert result("describe po", text).text == text


def test_logs_are_masked_where_they_are_shown() -> None:
    logs = result("logs web-0", "login with password=hunter2hunter2 done\n")
    assert "hunter2" not in repr(logs)
    assert "hunter2" in logs.text


def test_a_failure() -> None:
    words = 'Error from server (NotFound): pods "x" not found\n'
    failed = result("get pods x", "", words, 1, todo="look elsewhere")
    with pytest.raises(KubectlFailed) as caught:
        failed.check_returncode()
    assert caught.value.result is failed
    assert caught.value.lines() == [
        "KubectlFailed: kubectl get pods x failed (exit code 1)",
        f"  {words.strip()}",
        "  next: look elsewhere",
    ]
    html = failed._repr_mimebundle_()["text/html"]
    assert "border-left:3px solid var(--jp-error-color1" in html
    assert "next: look elsewhere" in html


def test_exit_codes_that_are_answers() -> None:
    result("diff -f x", "+a", "", 1).check_returncode()
    result("auth can-i delete pods", "no\n", "", 1).check_returncode()
    for line, code in (("diff -f x", 2), ("auth can-i delete", 1)):
        with pytest.raises(KubectlFailed):
            result(line, "", "error: what", code).check_returncode()


def test_what_was_shown_as_it_came_is_shown_once() -> None:
    for shown in (result("get po -w", PODS, was_shown=True), result("get po;", PODS)):
        shown._ipython_display_()
        with pytest.raises(NotImplementedError):
            shown._ipython_display_()


def test_a_table_is_read_when_somebody_asks() -> None:
    big = result("get pods", "NAME   STATUS\n" + "web-0   Running\n" * 10_000)
    assert "tables" not in vars(big)
    assert len(big) == 10_000
