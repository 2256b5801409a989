"""What is taken out of a report, and what stays."""

from __future__ import annotations

import getpass

import pytest

from notebook_mux.life import privacy
from notebook_mux.life.privacy import Privacy


def made(**more: object) -> Privacy:
    given: dict[str, object] = {
        "servers": ["api.secret.example.com", "10.1.2.3", "127.0.0.1"],
        "users": ["jane.doe", "default/api-secret:6443", "dev", "prod-user"],
        "keep": ["dev", "prod-user"],
        "home": "/home/janedoe",
        "login": "janedoe",
        "machine": "janes-laptop",
        **more,
    }
    return Privacy(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("no connection to api.secret.example.com:6443", "no connection to <server 1>:6443"),
        ("API.SECRET.example.com.", "<server 1>."),
        ("default/api-secret-example-com:6443/x", "default/<server 1>:6443/x"),
        ("10.1.2.3:443 and 127.0.0.1:80", "<server 2>:443 and 127.0.0.1:80"),
        ("user jane.doe of janes-laptop", "user <user> of <this machine>"),
        ("/home/janedoe/.kube/config", "~/.kube/config"),
        ("/home/janedoe2/x and /Users/bob/y", "/home/<user>/x and /Users/<user>/y"),
        ("/tmp/janedoe/x", "/tmp/<user>/x"),
        ("write to jane@example.com", "write to <e-mail>"),
        ("arn:aws:eks:eu-west-1:123456789012:cluster/prod", "arn:aws:eks:eu-west-1:<account>:cluster/prod"),
        ("open https://login.example.com/device?x=1", "open https://<host>/device?x=1"),
        ("https://bob:geheim@proxy.example.com:8080", "https://<host>:8080"),
        ("http://127.0.0.1:8123/", "http://127.0.0.1:8123/"),
        ("https://[fe80::1]:6443 and 2001:db8:0:0::1", "https://[<address>]:6443 and <address>"),
        ("192.168.0.7 refused", "<address> refused"),
        ("at 11:15:30, v1.37.2, 0.0.0.0, [::1]", "at 11:15:30, v1.37.2, 0.0.0.0, [::1]"),
        ("contexts dev and prod-user stay", "contexts dev and prod-user stay"),
        ("token=abcdefghijk", "token=[hidden]"),
        ("kubernetes.default.svc and localhost", "kubernetes.default.svc and localhost"),
    ],
)
def test_taken_out(text: str, clean: str) -> None:
    assert made().clean(text) == clean


def test_names_that_name_nobody_stay() -> None:
    nobody = made(users=["admin", "me"], login="root", machine="localhost", home="/root")
    assert nobody.clean("admin, me, root, localhost, /root/x") == "admin, me, root, localhost, ~/x"
    assert made(home="/", login="", machine="").clean("/etc/x of api-x") == "/etc/x of api-x"


def test_by_default_it_is_about_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody-here")
    assert "somebody-here" not in Privacy().clean("somebody-here")

    def nobody() -> str:
        raise KeyError("no such uid")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setenv("USER", "by-variable")
    assert Privacy().clean("by-variable") == "<user>"


def test_local() -> None:
    assert all(map(privacy.is_local, ["localhost", "127.3.2.1", "[::1]", "0.0.0.0", "kubernetes.default.svc"]))
    assert not any(map(privacy.is_local, ["example.com", "10.0.0.1", "fe80::1", ""]))
