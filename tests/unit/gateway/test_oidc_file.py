from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from notebook_mux.gateway.oidc_file import read, write

TEXT = """
apiVersion: v1
users:
- name: other
  user: {token: 2021-02-03}
- name: me
  user:
    auth-provider:
      name: oidc
      config: {id-token: old, refresh-token: canary, client-id: "123"}
contexts: [{name: 2020-01-01, context: {cluster: "on", user: me}}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(TEXT)
    return path


def test_new_tokens_and_nothing_else(path: Path):
    assert read(path, "me") == ("old", "canary")
    assert write(path, "me", "canary", "new", "next")
    assert read(path, "me") == ("new", "next")
    found = yaml.load(path.read_text(), yaml.BaseLoader)
    before = yaml.load(TEXT, yaml.BaseLoader)
    before["users"][1]["user"]["auth-provider"]["config"].update({"id-token": "new", "refresh-token": "next"})
    assert found == before
    assert yaml.safe_load(path.read_text())["contexts"][0] == {
        "name": "2020-01-01", "context": {"cluster": "on", "user": "me"}
    }, "texts stay texts"  # fmt: skip


def test_a_link_stays_one(path: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(path)
    assert write(tmp_path / "link", "me", "canary", "new", "next")
    assert (tmp_path / "link").is_symlink()
    assert read(path, "me") == ("new", "next")


def test_what_somebody_else_changed_or_locked_is_left(path: Path, caplog: pytest.LogCaptureFixture):
    assert not write(path, "me", "another", "new", "next")
    assert not write(path, "you", "canary", "new", "next")
    lock = path.with_name("config.lock")
    lock.touch()
    assert not write(path, "me", "canary", "new", "next")
    assert lock.exists(), "it is kubectl's"
    assert path.read_text() == TEXT
    assert "is not written to" in caplog.text
    assert "canary" not in caplog.text


def test_what_is_not_there(path: Path, tmp_path: Path):
    assert read(path, "other") is None
    assert read(path, "you") is None
    assert read(tmp_path / "none", "me") is None
    path.write_text("a: [")
    assert read(path, "me") is None
    assert not write(path, "me", "canary", "new", "next")
    assert not write(tmp_path / "none" / "none", "me", "canary", "new", "next")
