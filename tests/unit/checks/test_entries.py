"""Contexts as they stand in files, without a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.checks import entries
from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.entries import Oidc, Plugin, User

CANARY = "canary-7d0c2a91"


def write(path: Path, users: dict[str, Any], **more: Any) -> str:
    contexts = [{"name": name, "context": {"cluster": "c", "user": name}} for name in users]
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443/k8s"}}],
                "users": [{"name": name, "user": user} for name, user in users.items()],
                "contexts": contexts,
                **more,
            }
        )
    )
    return str(path)


def test_a_context_as_plain_data(tmp_path: Path):
    path = write(tmp_path / "k", {"me": {"token": CANARY}}, **{"current-context": "me"})
    found = entries.find([path], {}, in_cluster=False)
    (row,) = entries.rows(found)
    assert row.pop("ref") == found.contexts[0].ref
    assert row == {
        "name": "me",
        "cluster": "c",
        "server": "api.example.com:6443",
        "user": "me",
        "namespace": "default",
        "current": True,
        "file": path,
        "login": "token",
        "problem": None,
    }
    assert CANARY not in json.dumps(entries.rows(found))


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (User(), "none (anonymous)"),
        (User(token="t"), "token"),
        (User(token="t", token_file=Path("/t")), "token file"),
        (User(oidc=Oidc("https://i", "me", "", "t", "r", Path("/c"), "u")), "OIDC"),
        (User(cert=b"c", key=b"k"), "certificate"),
        (User(token="t", cert_file=Path("/c")), "token and certificate"),
        (User(token="t", impersonate="x"), "token, acting as another"),
        (User(plugin=Plugin("/opt/bin/aws", ("eks", f"--secret={CANARY}"))), "plugin aws"),
        (User(plugin=Plugin("C:\\x\\gke-gcloud-auth-plugin.exe")), "plugin gke-gcloud-auth-plugin.exe"),
        (User(plugin=Plugin("kubectl", ("oidc-login", "get-token", CANARY))), "OIDC, plugin kubectl oidc-login"),
        (User(plugin=Plugin("kubectl", (f"--token={CANARY}",))), "plugin kubectl"),
        (User(token="t", plugin=Plugin("aws")), "token"),
    ],
)
def test_how_it_logs_in(user: User, words: str):
    assert entries.login_words(user) == words


def test_a_broken_file_keeps_no_other_from_being_read(tmp_path: Path):
    good = write(tmp_path / "good", {"me": {}})
    bad = tmp_path / "bad"
    bad.write_text(f"users: [{CANARY}: {{{{")
    gone = tmp_path / "gone"
    found = entries.find([str(bad), good, str(gone)], {}, in_cluster=False)
    assert [context.name for context in found.contexts] == ["me"]
    assert found.missing == [gone]
    assert list(found.broken) == [bad]
    told = entries.problem(found.broken[bad])
    assert "not valid YAML" in str(told["what"])
    assert CANARY not in json.dumps(told)


def test_what_cannot_be_used_has_a_problem(tmp_path: Path):
    users = {
        "old": {"auth-provider": {"name": "oidc", "config": {"id-token": CANARY}}},
        "odd": {"exec": {"command": "/bin/aws", "apiVersion": 3}},
        "plain": {"token": 7},
    }
    found = entries.find([write(tmp_path / "k", users)], {}, in_cluster=False)
    rows = {row["name"]: row for row in entries.rows(found)}
    assert rows["odd"]["login"] == "plugin aws"
    assert rows["plain"]["login"] == ""
    assert "must be text" in rows["plain"]["problem"]["what"]
    assert rows["old"]["login"] == "OIDC, auth-provider oidc"
    assert CANARY not in json.dumps(rows)


def test_nothing_there():
    found = entries.find([], {}, in_cluster=False)
    assert (found.contexts, found.missing, found.broken, found.account) == ([], [], {}, False)


def test_no_pod_is_a_problem_of_its_own():
    found = entries.find([], {}, in_cluster=True)
    assert not found.contexts
    assert [str(path) for path in found.broken] == ["in-cluster"]


def test_an_error_is_redacted():
    told = entries.problem(InvalidArgument("password=abcdefgh", said=None, todo="x"))
    assert told == {"code": "invalid", "what": "password=[hidden]", "cluster": None, "said": None, "todo": "x"}
