from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from notebook_mux import errors
from notebook_mux.handles.changing.manifests import documents
from notebook_mux.handles.changing.replacing import Replace
from notebook_mux.handles.objects import LAST_APPLIED, Object

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


def one(text: str) -> Any:
    (document,) = documents(text)
    return document.content


def config_map(data: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{data}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-30", "2026-11-30"),
        ("2026-11-30T10:00:00Z", "2026-11-30T10:00:00Z"),
        ("22:22", "22:22"),
        ("1:2:3.5", "1:2:3.5"),
        ("0o17", "0o17"),
        ("017", 15),
        ("08", 8),
        ("0x1F", 31),
        ("-3", -3),
        ("1_000", 1000),
        ("1e3", 1000),
        ("1.5", 1.5),
        ("1.0", 1),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("1Gi", "1Gi"),
        ("yes", True),
        ("off", False),
        ("'1'", "1"),
        ("~", None),
        ("", None),
    ],
)
def test_plain_words_are_read_as_by_kubectl(written: str, read: object) -> None:
    if written == "0o17":
        read = 15  # of YAML 1.2, which Go's library takes too
    found = one(config_map(f"  a: {written}"))["data"]["a"]
    assert (found, type(found)) == (read, type(read))


def test_keys_are_texts_and_stand_once() -> None:
    found = one(config_map("  1: x\n  true: y\n  null: z\n  a: b"))
    assert found["data"] == {
        "1": "x",
        "true": "y",
        "null": "z",
        "a": "b",
    }
    with pytest.raises(errors.InvalidArgument, match="line 6, column 3") as caught:
        one(config_map("  a: x\n  a: y"))
    assert "stands twice" in str(caught.value)
    merged = "x: &x {a: '1', b: '2'}\n" + config_map("  <<: *x\n  b: '3'")
    assert one(merged)["data"] == {"a": "1", "b": "3"}


def test_several_documents_each_with_its_line() -> None:
    text = f"---\n# nothing\n---\n{config_map('  a: b')}\n---\n\n{config_map('  c: d').replace('name: a', 'name: b')}"
    assert [(one.name, one.source) for one in documents(text)] == [("a", "line 4"), ("b", "line 11")]


def test_lists_are_opened() -> None:
    listed = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}
    mixed = {"apiVersion": "v1", "kind": "List", "items": [listed, Object(one(config_map("  a: b")), "dev")]}
    found = documents([mixed, config_map("  a: b").replace("name: a", "name: c")])
    assert [(one.kind, one.name, one.cluster) for one in found] == [
        ("ConfigMap", "a", ""),
        ("ConfigMap", "a", "dev"),
        ("ConfigMap", "c", ""),
    ]
    assert found[0].content["apiVersion"] == "v1"
    assert found[0].words == "ConfigMap a (item 0, item 0)"


def test_what_others_need_comes_first() -> None:
    kinds = ["ValidatingWebhookConfiguration", "Ingress", "Deployment", "Boat", "Secret", "Namespace", "Role"]
    kinds += ["CustomResourceDefinition", "Service", "Job"]
    given = [{"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}} for kind in kinds]
    order = ["Namespace", "CustomResourceDefinition", "Role", "Secret", "Service", "Deployment"]
    order += ["Ingress", "Boat", "Job", "ValidatingWebhookConfiguration"]
    assert [one.kind for one in documents(given)] == order


def test_what_a_server_writes_is_left_out() -> None:
    metadata = {
        "name": "a",
        "namespace": "n",
        "uid": "u",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2026-11-30T10:00:00Z",
        "managedFields": [{}],
        "labels": {"a": "b"},
        "annotations": {LAST_APPLIED: "{}", "deployment.kubernetes.io/revision": "2"},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"x": 1}, "status": {"y": 2}}
    given = Object(pod, "dev")
    (found,) = documents(given)
    assert found.content == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "n", "labels": {"a": "b"}},
        "spec": {"x": 1},
    }
    assert found.cluster == "dev"
    assert given["status"] == {"y": 2}, "what was given is as it was"


def test_a_secret_that_hides_its_values() -> None:
    secret = Object({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA=="}})
    with pytest.raises(errors.InvalidArgument, match=r"data\.a in this Secret is hidden") as caught:
        documents(secret.yaml())
    assert "show_secrets=True" in str(caught.value)
    assert documents(secret.yaml(show_secrets=True))[0].content["data"] == {"a": "eA=="}
    assert documents(config_map("  a: <hidden, 3 characters>")), "in others it may stand"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a: [1\n", "line 2, column"),
        ("- a\n- b", "a list and no object"),
        ("just\nwords", "a text and no object"),
        ("kind: Pod\nmetadata: {name: a}", "without apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}", "without kind"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}", "a Pod without metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: [a]", "a Pod without metadata.name"),
        ("&a\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: *a", "cannot be read (line 5)"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": object()}, "cannot be written as JSON"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}", "an apply needs a name"),
        ("\n", "nothing in what is to be applied"),
        ([], "nothing in what is to be applied"),
        (7, "a int cannot be applied"),
        (b"x", "a bytes cannot be applied"),
        ("https://example.com/x.yaml", "is a URL"),
        ("", "no manifest and no path"),
        ("a\0b", "cannot be read"),
        ({"apiVersion": "v1", "kind": "List", "items": 5}, "a List whose items are no list"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}", "'a/b' cannot be an object's name (line 1)"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "\ud800"}}, "cannot be an object's name"),
        (ENDLESS, "lists in lists"),
    ],
)
def test_what_is_no_manifest(given: Any, words: str) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        documents(given)
    assert words in str(caught.value)


TEN = ", ".join(["*a{0}"] * 10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            config_map("  a0: &a0 [x]\n" + "".join(f"  a{at + 1}: &a{at + 1} [{TEN.format(at)}]\n" for at in range(9))),
            "aliasing",
        ),
        (config_map("  a: &a [*a]"), "contains itself"),
        (config_map(f"  a: {'[' * 100_000}"), "nesting"),
        (config_map("  a: '\ud800'"), "surrogates"),
    ],
)
def test_yaml_that_stands_for_more_than_it_is(text: str, words: str) -> None:
    for attempt in (lambda: documents(text), lambda: Replace(cast("Any", None), text)):
        with pytest.raises(errors.InvalidArgument, match=f"cannot be read(?s:.*){words}"):
            attempt()


def test_files_and_folders(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(config_map("  a: b"))
    (tmp_path / "b.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j"}}')
    (tmp_path / "c.txt").write_text("no manifest")
    assert [one.source for one in documents(file)] == ["a.yaml, line 1"]
    assert [one.name for one in documents(str(tmp_path))] == ["a", "j"]
    assert one('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j"}}'), "JSON of one line is no path"
    with pytest.raises(errors.NotFound, match="there is no file"):
        documents(str(tmp_path / "missing.yaml"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(errors.NotFound, match="in the folder"):
        documents(tmp_path / "empty")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(errors.InvalidArgument, match="cannot be read"):
        documents(file)
    file.write_text("a:\n\tb")
    with pytest.raises(errors.InvalidArgument, match=r"a\.yaml, line 2"):
        documents(file)
