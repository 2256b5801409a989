from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway import kubeconfig_files


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


FIRST = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://first"}}]
users: [{name: u, user: {username: only-the-first}}]
"""
SECOND = """
current-context: two
clusters: [{name: c, cluster: {server: "https://second", tls-server-name: lost}}, {name: d, cluster: {server: "https://d"}}]
users: [{name: u, user: {password: not-merged}}]
contexts: [{name: two, context: {cluster: c, user: u}}]
"""


def test_the_first_that_sets_it_wins_and_entries_are_whole(tmp_path: Path):
    first, second = write(tmp_path / "first", FIRST), write(tmp_path / "second", SECOND)
    third = write(tmp_path / "third", "current-context: three")
    found = kubeconfig_files.read([tmp_path / "missing", first, second, third])
    assert found.files == (first, second, third)
    assert found.current == "two"
    assert found.clusters["c"].fields == {"server": "https://first"}
    assert found.users["u"].fields == {"username": "only-the-first"}
    assert found.clusters["d"].file == second
    assert list(found.contexts) == ["two"]


def test_empty_and_missing_files_are_nothing(tmp_path: Path):
    empty = write(tmp_path / "empty", "")
    found = kubeconfig_files.read([empty, tmp_path / "missing", empty / "below"])
    assert (found.files, found.contexts) == ((empty,), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not valid YAML: line 2"),
        ("a: 1\na: 2\n", "stands twice"),
        ("- 1", "is no kubeconfig"),
        ("kind: Pod", "is no kubeconfig"),
        ("clusters: {}", "clusters must be a list"),
        ("clusters: [{cluster: {}}]", "entry 1 of clusters has no name"),
        ("users: [{name: 7, user: {}}]", "entry 1 of users has no name in text"),
        ("users: [{name: u, user: [1]}]", "must be a mapping, not a list"),
        ("users: [{name: u}, {name: u}]", "user 'u' stands twice"),
        ("users:\n- name: u\n- name: v\n  user: 7", "config, line 3: user 'v' must be a mapping, not a number"),
        ("a: 1\nusers:\n- {name: u}\n- &a {name: u}", "line 4: user 'u' stands twice"),
        ("clusters:\n\n- cluster: {}", "line 3: entry 1 of clusters"),
        ("current-context: [x]", "current-context must be text"),
        ("? [a]\n: b", "is not valid YAML"),
        ("a: !!python/object/apply:os.system [id]", "is not valid YAML"),
        ("\x00", "is not valid YAML"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, text: str, said: str):
    path = write(tmp_path / "config", text)
    with pytest.raises(InvalidArgument) as caught:
        kubeconfig_files.read([path])
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_an_error_shows_nothing_of_the_file(tmp_path: Path):
    path = write(tmp_path / "config", 'users:\n- name: u\n  user: {token: "canary-secret\n')
    with pytest.raises(InvalidArgument) as caught:
        kubeconfig_files.read([path])
    assert "canary" not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_folder_and_a_huge_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InvalidArgument, match="cannot be read"):
        kubeconfig_files.read([tmp_path])
    monkeypatch.setattr(kubeconfig_files, "MAX_FILE", 10)
    with pytest.raises(InvalidArgument, match="is over 10 bytes"):
        kubeconfig_files.read([write(tmp_path / "huge", "a: " + "b" * 20)])


def test_text_that_looks_like_a_date_stays_text(tmp_path: Path):
    path = write(tmp_path / "config", "users: [{name: 2020-01-01, user: {token: 2021-02-03}}]")
    found = kubeconfig_files.read([path]).users["2020-01-01"]
    assert found.text("token") == "2021-02-03"
    assert "2021" not in repr(found)


def test_fields_of_a_wrong_kind(tmp_path: Path):
    path = write(tmp_path / "config", "users: [{name: u, user: {a: 1, b: x, c: [1], d: x, e: null}}]")
    entry = kubeconfig_files.read([path]).users["u"]
    for call, key in ((entry.text, "a"), (entry.flag, "b"), (entry.texts, "c"), (entry.table, "d"), (entry.path, "a")):
        with pytest.raises(InvalidArgument, match=f"user 'u' in .*: {key} must be"):
            call(key)
    assert (entry.text("e"), entry.flag("e"), entry.texts("e"), entry.table("e"), entry.path("e")) == (
        "", False, [], {}, None,
    )  # fmt: skip
    assert entry.path("b") == tmp_path / "x"


def test_huge_files_are_parsed_by_libyaml_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert issubclass(kubeconfig_files.Loader, yaml.CSafeLoader), "PyYAML's wheels have it; it is ten times as fast"
    one, same = write(tmp_path / "one", FIRST), write(tmp_path / "same", FIRST)
    first = kubeconfig_files.document(one)
    assert kubeconfig_files.document(same) is first
    write(one, SECOND)
    assert kubeconfig_files.document(one) is not first, "what counts is the content"
    for number in range(2 * kubeconfig_files.MAX_PARSED):
        kubeconfig_files.document(write(one, f"number: {number}"))
    assert len(kubeconfig_files._parsed) == kubeconfig_files.MAX_PARSED
