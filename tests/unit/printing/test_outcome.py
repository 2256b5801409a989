from __future__ import annotations

from typing import Any

from notebook_mux.handles.objects import LAST_APPLIED
from notebook_mux.printing.differences import difference
from notebook_mux.printing.outcome import Done, Outcome


def deployment(replicas: int, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "web", "resourceVersion": str(replicas), "managedFields": [{"n": replicas}], **metadata},
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas},
    }


def secret(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}


def test_only_what_a_person_decides_about() -> None:
    noisy = deployment(
        2, generation=4, uid="u", annotations={LAST_APPLIED: "{}", "deployment.kubernetes.io/revision": "2"}
    )
    assert difference(deployment(2), noisy, "web") == ""
    assert difference(deployment(2), deployment(3), "web").splitlines() == [
        "--- web",
        "+++ web",
        "@@ -3,4 +3,4 @@",
        " metadata:",
        "   name: web",
        " spec:",
        "-  replicas: 2",
        "+  replicas: 3",
    ]


def test_what_comes_and_what_goes() -> None:
    assert difference(None, deployment(1), "web").startswith(
        "--- web (not there)\n+++ web\n@@ -0,0 +1,6 @@\n+apiVersion"
    )
    gone = difference(deployment(1), None, "web")
    assert gone.startswith("--- web\n+++ web (deleted)\n")
    assert all(line.startswith("-") for line in gone.splitlines()[3:])


def test_an_order_of_keys_is_no_difference() -> None:
    before = {"kind": "X", "spec": {"a": [{"b": 1, "c": 2}], "d": 3}}
    after = {"spec": {"d": 3, "a": [{"c": 2, "b": 1}]}, "kind": "X"}
    assert difference(before, after, "x") == ""


def test_a_secrets_values_are_hidden_and_yet_seen_to_change() -> None:
    diff = difference(
        secret(a="b25lMQ==", b="c2FtZQ==", c="Z29uZQ=="), secret(a="dHdvMg==", b="c2FtZQ==", d="bmV3"), "s"
    )
    changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert changed == [
        "-  a: <hidden, 8 characters, before>",
        "+  a: <hidden, 8 characters, after>",
        "-  c: <hidden, 8 characters>",
        "+  d: <hidden, 4 characters>",
    ]
    assert "  b: <hidden, 8 characters>" in diff


def outcome(**more: Any) -> Outcome:
    done = [
        Done("dev", "Deployment", "shop", "web", "configured", deployment(2), deployment(3), ("w1", "w2")),
        Done("dev", "Secret", "shop", "s", "unchanged", secret(a="eA=="), secret(a="eA==")),
        Done("dev", "Namespace", "", "<b>n</b>\n", "failed", said=("no\x1b[31m",)),
    ]
    return Outcome("apply 3 objects", done, **more)


def test_it_is_a_table_and_data() -> None:
    found = outcome()
    assert found.rows[0] == {
        "Cluster": "dev",
        "Kind": "Deployment",
        "Namespace": "shop",
        "Name": "web",
        "Result": "configured",
        "Said": "w1; w2",
    }
    assert [row["Result"] for row in found.rows] == ["configured", "unchanged", "failed"]
    assert (len(found), found.dry_run) == (3, False)
    assert [one.name for one in found.objects] == ["web", "s"]
    assert found.diff.count("\n+++ ") == 1
    assert "Cluster" not in found.text, "of one cluster it need not be said"
    rows = outcome(dry_run=True).rows
    assert [row["Result"] for row in rows] == ["configured (server dry run)", "unchanged (server dry run)", "failed"]


def test_how_it_looks() -> None:
    found = outcome()
    html = found._repr_html_()
    assert '<div style="background:rgba(248,81,73,.22)">-  replicas: 2</div>' in html
    assert "&lt;b&gt;n&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "\x1b" not in html + repr(found)
    assert repr(found).endswith("-  replicas: 2\n+  replicas: 3")
    assert found._repr_mimebundle_()["text/plain"] == repr(found)
    many = Outcome("x", [Done("dev", "X", "", "a", "deleted", {"spec": {"l": list(range(900))}}, None)])
    assert "more lines, see .diff" in repr(many)
    assert "more lines, see .diff" in many._repr_html_()
    assert len(many.diff.splitlines()) > 900
    assert "<details" not in Outcome("x", [Done("dev", "X", "", "a", "unchanged")])._repr_html_()
