"""What a page asks of a table, on a real API server and on the playground: shown first, then done, and only that."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles.rights import may_write
from notebook_mux.widgets import actions
from notebook_mux.widgets.manifest import Manifest
from notebook_mux.widgets.watched import Target
from tests.controlplane.test_changing import WEB, There, eventually, served, there
from tests.unit.widgets.conftest import Page, bundles

__all__ = ["bundles", "served", "there"]

_views = itertools.count()


class Asker:
    """One view of a widget.

    Args:
        widget: A table, or an object's YAML.
    """

    def __init__(self, widget: Any) -> None:
        self.page, self.view = Page(widget), f"v{next(_views)}"
        self.page.here()

    def say(self, **message: Any) -> Any:
        """Send a change, and wait for the answer."""
        at_once = self.page.say(**({"t": "change", "view": self.view} | message))
        return at_once if at_once is not None else self._later()

    def _later(self) -> Any:
        def found() -> list[Any]:
            number = self.page._asked
            return [content for content, _ in self.page.sent if content["t"] == "reply" and content["id"] == number]

        eventually(found, "an answer")
        return found()[0]

    def rows(self, *names: str) -> list[tuple[int, str]]:
        """The keys of rows by their names."""

        def found() -> dict[str, tuple[int, str]]:
            return {record.name: key for key, record in list(self.page.widget._rows.latest.items())}

        eventually(lambda: set(names) <= found().keys(), f"rows {names}")
        return [found()[name] for name in names]


@pytest.fixture
def deployments(there: There) -> Iterator[Asker]:
    nm.apply(WEB)
    table = nm.table("deployments", name=there.namespace)
    yield Asker(table)
    table.close()


def replicas(there: There) -> int:
    return int(there.get("deployments/web", "apps")["spec"]["replicas"])


def test_scaling_is_shown_and_then_done_once(there: There, deployments: Asker) -> None:
    rows = deployments.rows("web")
    assert deployments.say(what="scale", stage="ask", rows=rows)["current"] == [2]
    asked = deployments.say(what="scale", stage="ask", rows=rows, replicas=3)
    assert asked["ok"], asked
    (change,) = asked["changes"]
    assert change["result"] == "scaled 2 → 3"
    assert "-  replicas: 2\n+  replicas: 3" in change["diff"]
    (allowed,) = asked["allowed"]
    assert (allowed["allowed"], allowed["ref"]["name"]) == (True, "web")
    assert "patch deployments.apps/scale" in allowed["rights"]
    assert replicas(there) == 2, "nothing is done yet"
    other = Asker(deployments.page.widget)
    for asker, what in ((other, "scale"), (deployments, "delete")):
        wrong = asker.say(what=what, stage="do", token=asked["token"])
        assert (wrong["ok"], replicas(there)) == (False, 2)
        assert "was not shown here" in wrong["error"]
        asked = deployments.say(what="scale", stage="ask", rows=rows, replicas=3)
    done = deployments.say(what="scale", stage="do", token=asked["token"])
    assert (done["ok"], done["done"][0]["result"], replicas(there)) == (True, "scaled 2 → 3", 3)
    again = deployments.say(what="scale", stage="do", token=asked["token"])
    assert not again["ok"], "a token is good once"
    idle = deployments.say(what="scale", stage="ask", rows=rows, replicas=3)
    assert (idle["changes"][0]["result"], idle["token"]) == ("unchanged", "")


def test_what_has_changed_since_is_not_done(there: There, deployments: Asker) -> None:
    rows = deployments.rows("web")
    asked = deployments.say(what="scale", stage="ask", rows=rows, replicas=3)
    there.patch("deployments/web", {"spec": {"replicas": 5}}, "apps")
    done = deployments.say(what="scale", stage="do", token=asked["token"])
    assert (done["ok"], done["changed"], replicas(there)) == (False, True, 5)
    asked = deployments.say(what="delete", stage="ask", rows=rows)
    there.patch("deployments/web", {"metadata": {"labels": {"new": "label"}}}, "apps")
    assert deployments.say(what="delete", stage="do", token=asked["token"])["changed"]
    asked = deployments.say(what="restart", stage="ask", rows=rows)
    there.client.ask("DELETE", there.of("deployments/web", "apps"))
    nm.apply(WEB)
    done = deployments.say(what="restart", stage="do", token=asked["token"])
    assert not done["ok"]
    assert "another has its name" in done["error"]


def test_a_status_that_goes_on_is_no_change(there: There, deployments: Asker) -> None:
    asked = deployments.say(what="scale", stage="ask", rows=deployments.rows("web"), replicas=3)
    path = there.of("deployments/web/status", "apps")
    body = {"status": {"conditions": [{"type": "Odd", "status": "True"}]}}
    answer = there.client.ask("PATCH", path, body, media="application/merge-patch+json")
    assert answer.status == 200, answer.body
    done = deployments.say(what="scale", stage="do", token=asked["token"])
    assert (done["ok"], replicas(there)) == (True, 3)


def test_what_was_shown_long_ago_is_shown_again(
    there: There, deployments: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "TOKEN_SECONDS", -1.0)
    asked = deployments.say(what="scale", stage="ask", rows=deployments.rows("web"), replicas=3)
    done = deployments.say(what="scale", stage="do", token=asked["token"])
    assert (done["ok"], replicas(there)) == (False, 2)
    assert "minutes old" in done["error"]


def test_a_right_to_write_that_was_taken_back(
    there: There, deployments: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = deployments.say(what="scale", stage="ask", rows=deployments.rows("web"), replicas=3)
    monkeypatch.setattr(deployments.page.widget._manager, "_write", frozenset())
    done = deployments.say(what="scale", stage="do", token=asked["token"])
    assert (done["ok"], done["write"], replicas(there)) == (False, False, 2)
    with pytest.raises(nm.WriteRefused) as refused:
        may_write(there.manager, there.manager._identity.contexts, "this")
    assert done["error"] == str(refused.value), "the words are those of Python"


def test_restart_and_delete(there: There, deployments: Asker) -> None:
    rows = deployments.rows("web")
    asked = deployments.say(what="restart", stage="ask", rows=rows)
    assert "+        kubectl.kubernetes.io/restartedAt" in asked["changes"][0]["diff"]
    assert deployments.say(what="restart", stage="do", token=asked["token"])["done"][0]["result"] == "restarted"
    asked = deployments.say(what="delete", stage="ask", rows=rows)
    assert asked["changes"][0]["diff"].count("\n-") > 5, "all of it goes"
    assert asked["typed"] == ""
    assert deployments.say(what="delete", stage="do", token=asked["token"])["done"][0]["result"] == "deleted"
    eventually(lambda: there.client.get(there.of("deployments/web", "apps")).status == 404)


def test_several_rows_and_what_is_typed(there: There) -> None:
    names = [f"m{at}" for at in range(5)]
    nm.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in names])
    table = nm.table("configmaps", name=there.namespace)
    asker = Asker(table)
    rows = asker.rows(*names)
    asker.page.say(t="select", view=asker.view, rows=rows[:2])
    assert len(nm.delete(table.selected, dry_run=True)) == 2, "what is selected is a target in Python too"
    asked = asker.say(what="delete", stage="ask", rows=rows)
    assert asked["typed"] == "delete 5"
    assert [change["diff"] for change in asked["changes"]] == [""] * 5, "a list says more than five whole objects"
    there.client.ask("DELETE", there.of("configmaps/m2"))
    done = asker.say(what="delete", stage="do", token=asked["token"])
    assert done["ok"]
    assert [bool(one.get("error")) for one in done["done"]] == [False, False, True, False, False]
    asked = asker.say(what="restart", stage="ask", rows=asker.rows("kube-root-ca.crt"))
    assert "cannot be restarted" in asked["changes"][0]["error"]
    assert asked["token"] == ""
    reference = {
        "cluster": next(iter(there.manager.clusters)),
        "namespace": "",
        "name": there.namespace,
        "kind": "Namespace",
    }
    asked = asker.say(what="delete", stage="ask", ref=reference)
    assert asked["typed"] == there.namespace
    assert "everything in this namespace" in asked["changes"][0]["said"][0]
    for wrong in ({"namespace": "a/secrets/b", "name": "x"}, {"namespace": there.namespace, "name": "../secrets/x"}):
        asked = asker.say(what="delete", stage="ask", ref={**reference, "kind": "ConfigMap", **wrong})
        assert not asked.get("token"), "a page names an object, and no path"
    asked = asker.say(what="delete", stage="ask", ref={**reference, "cluster": "another"})
    assert not asked["ok"]
    assert "'another'" in asked["error"]
    table.close()


def test_without_the_right_it_says_which_is_missing(there: There) -> None:
    nm.apply(WEB)
    user = there.user("get,list,watch deployments.apps", "get,patch deployments.apps/scale")
    table = user.table("deployments")
    asker = Asker(table)
    rows = asker.rows("web")
    asked = asker.say(what="delete", stage="ask", rows=rows)
    assert asked["allowed"][0]["allowed"] is False
    assert "you may not delete deployments.apps" in asked["changes"][0]["error"]
    assert asked["token"] == ""
    asked = asker.say(what="scale", stage="ask", rows=rows, replicas=1)
    assert asker.say(what="scale", stage="do", token=asked["token"])["ok"]
    table.close()


def test_without_write_nothing_is_asked_of_the_cluster(there: There, deployments: Asker) -> None:
    rows = deployments.rows("web")
    asked = deployments.say(what="scale", stage="ask", rows=rows, replicas=3)
    nm.connect(kubeconfig=there.kubeconfig, write=False, namespace=there.namespace)
    answer = deployments.say(what="scale", stage="ask", rows=rows, replicas=3)
    assert (answer["ok"], answer["write"]) == (False, False)
    assert "write=True" in answer["error"], "it says how to get it"
    done = deployments.say(what="scale", stage="do", token=asked["token"])
    assert (done["ok"], replicas(there)) == (False, 2), "the gateway refuses it too"


def manifest(there: There, kind: str, name: str) -> Asker:
    target = Target(next(iter(there.manager.clusters)), there.namespace, name, kind)
    asker = Asker(Manifest(there.manager, target))
    eventually(lambda: asker.page.widget.data["text"], "the text")
    return asker


def test_an_edited_object(there: There) -> None:
    nm.apply(WEB)
    asker = manifest(there, "Deployment.apps", "web")
    base = asker.page.widget.data["text"]
    edited = base.replace("web:1", "web:2")
    asked = asker.say(what="apply", stage="ask", text=edited, base=base)
    assert asked["ok"], asked
    diff = asked["changes"][0]["diff"]
    assert "-        image: registry.example/web:1\n+        image: registry.example/web:2" in diff
    assert asker.say(what="apply", stage="do", token=asked["token"])["done"][0]["result"] == "configured"
    spec = there.get("deployments/web", "apps")["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == "registry.example/web:2"
    now = nm.get("deploy", "web").yaml()
    for wrong, words in {
        now.replace("name: web\n", "name: other\n", 1): "cannot change name",
        now.replace("kind: Deployment", "kind: StatefulSet"): "cannot change kind",
        now.replace("replicas: 2", "replicaz: 2"): "replicaz",
        now.replace("replicas: 2", "replicas: [2"): "line",
        "": "one object",
    }.items():
        refused = asker.say(what="apply", stage="ask", text=wrong, base=now)
        said = refused.get("error") or refused["changes"][0]["error"]
        assert words in said, said
        assert not refused.get("token")
    asker.page.widget.close()


def test_an_edit_that_others_have_overtaken(there: There) -> None:
    nm.apply(WEB)
    asker = manifest(there, "Deployment.apps", "web")
    base = asker.page.widget.data["text"]
    theirs = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "registry.example/web:2"}]}}}}
    there.patch("deployments/web", theirs, "apps")
    late = asker.say(what="apply", stage="ask", text=base.replace("replicas: 2", "replicas: 4"), base=base)
    [change] = late["changes"]
    assert "-  replicas: 2\n+  replicas: 4" in change["diff"]
    assert "web:" not in "".join(line for line in change["diff"].splitlines() if line[0] in "+-")
    assert "others have changed it" in change["said"][0]
    there.patch("deployments/web", {"metadata": {"labels": {"theirs": "too"}}}, "apps")
    done = asker.say(what="apply", stage="do", token=late["token"])
    assert (done["ok"], done["changed"]) == (False, True), "what was shown is not what it would be now"
    late = asker.say(what="apply", stage="ask", text=base.replace("replicas: 2", "replicas: 4"), base=base)
    assert asker.say(what="apply", stage="do", token=late["token"])["done"][0]["result"] == "configured"
    now = there.get("deployments/web", "apps")
    image = now["spec"]["template"]["spec"]["containers"][0]["image"]
    assert (now["spec"]["replicas"], image) == (4, "registry.example/web:2"), "what both have changed is there"
    assert now["metadata"]["labels"]["theirs"] == "too"
    both = base.replace("web:1", "web:3").replace("replicas: 2", "replicas: 5")
    stale = asker.say(what="apply", stage="ask", text=both, base=base)
    assert (stale["ok"], stale["conflict"]) == (False, True)
    assert "spec.replicas (yours: 5, theirs: 4)" in stale["error"]
    assert '[main].image (yours: "registry.example/web:3", theirs: "registry.example/web:2")' in stale["error"]
    over = asker.say(what="apply", stage="ask", text=both, base=base, over=True)
    assert asker.say(what="apply", stage="do", token=over["token"])["done"][0]["result"] == "configured"
    now = there.get("deployments/web", "apps")
    image = now["spec"]["template"]["spec"]["containers"][0]["image"]
    assert (now["spec"]["replicas"], image) == (5, "registry.example/web:3")
    assert now["metadata"]["labels"]["theirs"] == "too", "what only they have changed stays in any case"
    asker.page.widget.close()


def test_an_edited_secret(there: There) -> None:
    nm.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: canary-value, b: x}\n")
    asker = manifest(there, "Secret", "s")
    base = asker.page.widget.data["text"]
    refused = asker.say(what="apply", stage="ask", text=base.replace("type: Opaque", "type: Opaque\nimmutable: true"))
    assert not refused["ok"]
    assert "is hidden" in refused["error"]
    bare = asker.say(t="do", what="reveal")["text"]
    asked = asker.say(what="apply", stage="ask", text=bare.replace("b: eA==", "b: eQ=="), base=bare)
    assert "-  b: <hidden" in asked["changes"][0]["diff"]
    assert "Y2FuYXJ5" not in str(asked), "nobody asked for the values in this answer"
    assert asker.say(what="apply", stage="do", token=asked["token"])["ok"]
    assert there.get("secrets/s")["data"]["b"] == "eQ=="
    late = asker.say(what="apply", stage="ask", text=bare.replace("b: eA==", "b: eg=="), base=bare)
    assert late["conflict"]
    assert "data.b" in late["error"]
    assert not {"eA==", "eQ==", "eg=="} & set(re.split(r"[\s\"]+", late["error"])), "of a Secret the fields alone"
    asker.page.widget.close()


def test_the_answer_comes_later(there: There, deployments: Asker, tmp_path: Path) -> None:
    """A handler that waited would hold up every widget of the kernel."""
    rows = deployments.rows("web")
    at_once = deployments.page.say(t="change", view="v", what="restart", stage="ask", rows=rows)
    assert at_once is None
