"""One context after the other: what is found where something is missing."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.checks import clusters, network
from notebook_mux.checks.entries import find
from notebook_mux.checks.findings import Findings, Row
from notebook_mux.gateway.entries import Plugin, User
from notebook_mux.life.privacy import Privacy
from tests.playground import RunningPlayground, playground, start_playground  # noqa: F401 - fixtures
from tests.unit.checks.servers import certificate, refused_port
from tests.unit.checks.test_certificates import token

CANARY = "canary-51aa20ff"
COLLECTED = time.time()
"""When the users of the parameters were made: tests run minutes later."""


async def examine(path: Path, env: dict[str, str] | None = None) -> list[Row]:
    lines: list[Any] = []
    found = find([str(path)], env or {}, in_cluster=False)
    rows = await clusters.check_all(found.contexts, Privacy(), lines.append)
    told = [row for line in lines if line["t"] == "rows" for row in line["rows"]]
    assert sorted(map(str, told)) == sorted(map(str, rows)), "all is told as it is found"
    return rows


def states(rows: list[Row]) -> dict[str, str]:
    return {row["Check"]: row["State"] for row in rows}


def changed(path: Path, folder: Path, **more: Any) -> Path:
    """A copy of a kubeconfig with other fields in its user or cluster."""
    config = yaml.safe_load(path.read_text())
    for name, value in more.items():
        config[name][0][name[:-1]].update(value)
        for key in [key for key, given in value.items() if given is None]:
            del config[name][0][name[:-1]][key]
    copy = folder / "changed"
    copy.write_text(yaml.safe_dump(config))
    return copy


async def test_all_is_well(playground: RunningPlayground) -> None:  # noqa: F811
    rows = await examine(playground.kubeconfig)
    assert states(rows) == {
        "credentials": "info",
        "connection": "ok",
        "TLS": "ok",
        "login": "ok",
        "answer": "ok",
        "rights": "ok",
    }
    assert rows[-1]["Found"] == "may list pods in all namespaces"
    assert {row["Area"] for row in rows} == {
        f"context {find([str(playground.kubeconfig)], {}, in_cluster=False).contexts[0].name} (current)"
    }


async def test_a_token_that_is_refused(playground: RunningPlayground, tmp_path: Path) -> None:  # noqa: F811
    rows = await examine(changed(playground.kubeconfig, tmp_path, users={"token": CANARY}))
    assert states(rows)["login"] == "wrong"
    assert "answer" not in states(rows)
    assert CANARY not in json.dumps(rows)


async def test_forbidden(playground: RunningPlayground) -> None:  # noqa: F811
    playground.forbid(verb="list", resource="pods", namespace="")
    assert (await examine(playground.kubeconfig))[-1]["Found"] == "may list pods in the namespace default"
    playground.forbid(verb="list", resource="pods")
    row = (await examine(playground.kubeconfig))[-1]
    assert (row["Check"], row["State"]) == ("rights", "wrong")
    assert row["Found"] == "may not list pods in the namespace default"
    assert "nm.connect(namespace=" in row["Next"]


async def test_reviews_that_are_refused_are_not_known(playground: RunningPlayground) -> None:  # noqa: F811
    playground.refuse(500, path="/apis/authorization.k8s.io")
    assert states(await examine(playground.kubeconfig))["rights"] in ("info", "wrong")


async def test_a_refused_port_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{refused_port()}"}}],
                "users": [{"name": "u", "user": {"token": CANARY}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}, {"name": "d", "context": {}}],
            }
        )
    )
    rows = await examine(path)
    assert [(row["Area"], row["Check"], row["State"]) for row in rows] == [
        ("context c", "credentials", "info"),
        ("context c", "connection", "wrong"),
        ("context d", "entry", "wrong"),
    ]


async def test_a_plugin_that_is_not_there(playground: RunningPlayground, tmp_path: Path) -> None:  # noqa: F811
    exec_ = {
        "command": "no-such-plugin",
        "args": [f"--secret={CANARY}"],
        "env": [{"name": "S", "value": CANARY}],
        "apiVersion": "client.authentication.k8s.io/v1",
        "installHint": "get it from somewhere",
        "interactiveMode": "Never",
    }
    path = changed(playground.kubeconfig, tmp_path, users={"token": None, "exec": exec_})
    rows = await examine(path, {"PATH": "/nowhere"})
    (row,) = [row for row in rows if row["Check"] == "plugin"]
    assert row["Found"] == "plugin no-such-plugin is not on the PATH"
    assert row["Next"].endswith("; get it from somewhere")
    assert states(rows)["connection"] == "ok", "the way is looked at all the same"
    assert "login" not in states(rows)
    assert CANARY not in json.dumps(rows)


async def test_a_plugin_that_fails_says_its_own_words(playground: RunningPlayground, tmp_path: Path) -> None:  # noqa: F811
    plugin = tmp_path / "sso"
    plugin.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('Error: jane@example.com, run sso login')\n")
    plugin.chmod(0o700)
    exec_ = {"command": str(plugin), "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
    rows = await examine(changed(playground.kubeconfig, tmp_path, users={"token": None, "exec": exec_}))
    assert (states(rows)["plugin"], states(rows)["login"]) == ("ok", "wrong")
    (row,) = [row for row in rows if row["Check"] == "login"]
    assert "Error: <e-mail>, run sso login" in row["Found"]


async def test_a_plugin_that_waits_for_a_browser(
    playground: RunningPlayground,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clusters, "ANSWER_SECONDS", 0.3)
    plugin = tmp_path / "sso"
    plugin.write_text("#!/bin/sh\nexec sleep 600\n")
    plugin.chmod(0o700)
    exec_ = {"command": str(plugin), "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
    path = changed(playground.kubeconfig, tmp_path, users={"token": None, "exec": exec_})
    row = (await examine(path, {"PATH": os.defpath}))[-1]
    assert (row["Check"], row["State"]) == ("login", "wrong")
    assert row["Found"] == "neither the plugin nor the server answered within 0.3 s"
    assert "login in a browser" in row["Next"]


async def test_a_server_that_stalls(
    playground: RunningPlayground,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clusters, "ANSWER_SECONDS", 0.3)
    playground.stall()
    row = (await examine(playground.kubeconfig))[-1]
    playground.resume()
    assert (row["Check"], row["State"]) == ("answer", "wrong")


@pytest.mark.parametrize(
    ("user", "state", "words"),
    [
        (User(), "warning", "none (anonymous)"),
        (User(token="plain"), "info", "token"),
        (User(token=token({"exp": COLLECTED + 40 * 86400})), "info", "token, good for 40 days"),
        (User(token=token({"exp": COLLECTED + 2 * 86400 + 6 * 3600})), "info", "token, ends in 2 days"),
        (User(token=token({"exp": COLLECTED - 2 * 3600 - 600})), "wrong", "token, ended 2 hours ago"),
        (User(cert=certificate(ends=-1.01)[0], key=b"k"), "wrong", "certificate, ended 24 hours ago"),
        (User(cert_file=Path("/gone"), key_file=Path("/gone")), "info", "certificate"),
    ],
)
def test_credentials(user: User, state: str, words: str) -> None:
    found = Findings("a", Privacy())
    assert clusters._credentials(found, user, COLLECTED)
    assert (found.rows[-1]["State"], found.rows[-1]["Found"]) == (state, words)


def test_a_token_makes_a_plugin_idle() -> None:
    found = Findings("a", Privacy())
    assert clusters._credentials(found, User(token="t", plugin=Plugin("gone")), time.time())
    assert found.rows[-1]["Check"] == "credentials"


def test_no_more_than_so_many_at_once() -> None:
    assert clusters.AT_ONCE * network.STEP_SECONDS < 60


async def test_what_trips_over_one_context_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kubeconfig(name: str, port: int) -> dict[str, Any]:
        return {"name": name, "cluster": {"server": f"http://127.0.0.1:{port}"}}

    names = ("bad", "good")
    config = {
        "clusters": [kubeconfig(name, refused_port()) for name in names],
        "contexts": [{"name": name, "context": {"cluster": name}} for name in names],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))

    check = clusters.check

    async def trips(context: Any, privacy: Privacy) -> list[Row]:
        if context.name == "bad":
            raise LookupError("token=abcdefgh12345678")
        return await check(context, privacy)

    monkeypatch.setattr(clusters, "check", trips)
    rows = await examine(tmp_path / "config")
    assert {row["Area"] for row in rows} == {"context bad", "context good"}
    assert rows[0]["State"] == "wrong"
    assert rows[0]["Found"].startswith("could not be looked at: LookupError")
    assert "abcdefgh" not in str(rows)
