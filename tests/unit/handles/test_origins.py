from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, NoCluster
from notebook_mux.handles import origins


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".kube").mkdir()
    return tmp_path


def config(path: Path) -> str:
    path.write_text("{}")
    return str(path)


def env(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), **more}


def test_the_order_of_sources(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, named, given = config(home / ".kube/config"), config(home / "named"), config(home / "given")
    url = {"NOTEBOOK_MUX_URL": "http://127.0.0.1:8123/?token=t"}
    all_set = env(home, KUBECONFIG=named, **url)
    assert origins.find("http://h/?token=u", None, all_set).endpoint == ("url", "http://h/?token=u")
    assert origins.find(None, given, all_set).source["kubeconfig"] == [given]
    assert origins.find(None, given, all_set).endpoint == ("auto", None)
    found = origins.find(None, None, all_set)
    assert found.endpoint == ("url", url["NOTEBOOK_MUX_URL"])
    assert found.source == {"kubeconfig": None, "env": {}, "in_cluster": False}
    assert origins.find(None, None, env(home, KUBECONFIG=named)).source["kubeconfig"] == [named]
    assert origins.find(None, None, env(home, KUBECONFIG="")).source["kubeconfig"] == [usual]
    (home / ".kube/config").unlink()
    token = home / "token"
    token.write_text("x")
    monkeypatch.setattr(origins, "ACCOUNT_TOKEN", token)
    inside = origins.find(None, None, env(home, KUBERNETES_SERVICE_HOST="10.0.0.1"))
    assert inside.source["kubeconfig"] == []
    assert inside.source["in_cluster"] is True


def test_files_of_kubeconfig_are_named_whole_and_in_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    first, second = config(home / "a"), str(home / "missing")
    found = origins.find(None, None, env(home, KUBECONFIG=os.pathsep.join(["a", "", "missing"])))
    assert found.source["kubeconfig"] == [first, second]
    assert origins.find(None, [Path("a"), "missing"], env(home)).source["kubeconfig"] == [first, second]
    assert origins.find(None, Path("a"), env(home)).source["kubeconfig"] == [first]
    monkeypatch.setenv("HOME", str(home))
    assert origins.find(None, "~/a", env(home)).source["kubeconfig"] == [first]


def test_no_cluster_says_what_was_looked_at(home: Path) -> None:
    with pytest.raises(NoCluster) as caught:
        origins.find(None, None, env(home, KUBECONFIG="/none/such"))
    said = str(caught.value)
    for word in ("NOTEBOOK_MUX_URL", "/none/such", ".kube/config", "in-cluster", "nm.demo()"):
        assert word in said
    assert 2 <= len(caught.value.lines()) <= 5
    with pytest.raises(NoCluster, match="/none/such"):
        origins.find(None, "/none/such", env(home))
    with pytest.raises(NoCluster):
        origins.find(None, "", env(home))


def test_arguments_that_exclude_each_other() -> None:
    with pytest.raises(InvalidArgument):
        origins.find("http://h", "/k", {})
    with pytest.raises(InvalidArgument):
        origins.find("ws://h", None, {})
    with pytest.raises(InvalidArgument):
        origins.find(None, None, {"NOTEBOOK_MUX_URL": "localhost:8123"})


def test_only_what_plugins_need_leaves_the_kernel(home: Path) -> None:
    given = env(
        home,
        AWS_PROFILE="p",
        https_proxy="h",
        HTTPS_PROXY="h",
        PATH="/bin",
        SSL_CERT_FILE="c",
        MY_TOKEN="secret",
        GITHUB_TOKEN="secret",
        MINE="m",
        MINE_TOO="m",
        NOTEBOOK_MUX_PLUGIN_ENV="MINE, MINE_T*",
    )
    source = origins.find(None, config(home / "a"), given).source
    assert sorted(source["env"]) == [
        "AWS_PROFILE",
        "HOME",
        "HTTPS_PROXY",
        "MINE",
        "MINE_TOO",
        "PATH",
        "SSL_CERT_FILE",
        "https_proxy",
    ]


@pytest.mark.parametrize(
    ("given", "names", "aliases"),
    [
        ([], None, {}),
        (["dev"], ["dev"], {"dev": "dev"}),
        (["dev", "prod", "dev"], ["dev", "prod"], {"dev": "dev", "prod": "prod"}),
        (["*"], ["*"], {}),
        ([{"p": "arn:prod"}, "dev"], ["arn:prod", "dev"], {"arn:prod": "p", "dev": "dev"}),
        ([{"p": "arn:prod"}, "*"], ["*"], {"arn:prod": "p"}),
        ([{}], None, {}),
    ],
)
def test_names(given: Any, names: Any, aliases: Any) -> None:
    assert origins.named(given) == (names, aliases)


@pytest.mark.parametrize(
    "given", [[{"p": "a", "q": "b"}, {"p": "c"}], [7], [""], [{"p": ""}], [{"p": 7}], [None], [["a"]]]
)
def test_names_that_are_none(given: Any) -> None:
    with pytest.raises(InvalidArgument):
        origins.named(given)
