from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.entries import plugin_variables, read_server, read_user
from notebook_mux.gateway.identities import reference
from notebook_mux.gateway.kubeconfig_files import Entry

FILE = Path("/home/me/.kube/config")


def cluster(**fields: Any) -> Entry:
    return Entry("cluster", "c", {"server": "https://c", **{k.replace("_", "-"): v for k, v in fields.items()}}, FILE)


def user(**fields: Any) -> Entry:
    return Entry("user", "u", {k.replace("_", "-") if k != "tokenFile" else k: v for k, v in fields.items()}, FILE)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_cluster():
    found = read_server(cluster(certificate_authority="pki/ca.crt", tls_server_name="kube"), {"HTTPS_PROXY": "p:3128"})
    assert found.url == "https://c"
    assert found.ca_file == FILE.parent / "pki/ca.crt"
    assert found.tls_name == "kube"
    assert found.proxy == "http://p:3128"
    assert read_server(cluster(proxy_url="http://own:1"), {"HTTPS_PROXY": "p:3128"}).proxy == "http://own:1"
    inline = read_server(cluster(certificate_authority="x", certificate_authority_data=b64("PEM")), {})
    assert (inline.ca, inline.ca_file) == (b"PEM", None), "inline data wins, as in kubectl"
    assert read_server(cluster(server="localhost:8080"), {}).url == "http://localhost:8080"
    assert read_server(cluster(server="c:6443", insecure_skip_tls_verify=True), {}).url == "https://c:6443"
    roots = read_server(cluster(), {"SSL_CERT_FILE": "/roots.pem"})
    assert roots.cert_file == Path("/roots.pem")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"server": ""}, "it has no server"),
        ({"server": "ftp://c"}, "must be a URL of http or https"),
        ({"server": "https://"}, "must be a URL"),
        ({"server": "https://c:port"}, "server is not a URL"),
        ({"server": "https://a..b"}, "server has a host's name with an empty part"),
        ({"server": f"https://{'a' * 64}.example"}, "one of more than 63 characters"),
        ({"server": "https://c", "tls_server_name": ".x"}, "tls-server-name has a host's name with an empty part"),
        ({"server": "https://user:canary@c"}, "without user"),
        ({"server": 7}, "server must be text, not a number"),
        ({"insecure_skip_tls_verify": "yes"}, "must be true or false"),
        ({"insecure_skip_tls_verify": True, "certificate_authority": "x"}, "exclude each other"),
        ({"certificate_authority_data": "?"}, "is not valid base64"),
        ({"proxy_url": "socks4://p:1"}, "proxy-url must be a URL of http, https, socks5 or socks5h"),
        ({"extensions": {}}, "extensions must be a list"),
    ],
)
def test_a_cluster_that_cannot_be_used(fields: dict[str, Any], said: str):
    with pytest.raises(InvalidArgument) as caught:
        read_server(cluster(**fields), {})
    assert said in str(caught.value)
    assert "cluster 'c' in /home/me/.kube/config" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_user():
    found = read_user(
        user(client_certificate="c.crt", client_key="/abs/c.key", token=" t\n", tokenFile="t",
             **{"as": "jane", "as-uid": "1", "as-groups": ["g"], "as-user-extra": {"k": ["v"]}}), {},
    )  # fmt: skip
    assert found.cert_file == FILE.parent / "c.crt"
    assert found.key_file == Path("/abs/c.key")
    assert (found.token, found.token_file) == ("t", FILE.parent / "t")
    assert (found.impersonate, found.impersonate_uid, found.impersonate_groups) == ("jane", "1", ("g",))
    assert found.impersonate_extra == {"k": ("v",)}
    assert found.plugin is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"client_certificate": "x"}, "are needed together"),
        ({"client_key_data": "x?"}, "is not valid base64"),
        ({"as_groups": ["g"]}, "need as"),
        ({"as": "j", "as_user_extra": {"k": "v"}}, "must have lists of texts"),
        ({"auth_provider": {"name": "gcp"}}, "the auth-provider 'gcp' was removed"),
        ({"token": 12345}, "token must be text"),
        ({"username": "me", "password": "canary"}, "basic authentication"),
        ({"as": "jane\r\nX: y"}, "as has characters that no HTTP header can carry"),
        ({"as": "j", "as_groups": ["a\x00"]}, "as-groups has characters"),
        ({"as": "j", "as_user_extra": {"": ["v"]}}, "has characters"),
        ({"exec": {"command": "x", "interactiveMode": "Sometimes"}}, "must be one of Never, IfAvailable"),
        ({"exec": {"args": []}}, "it has no command"),
        ({"exec": {"command": "x", "args": "a b"}}, "args must be a list"),
        ({"exec": {"command": "x", "env": [{"value": "y"}]}}, "env must be a list of name and value"),
        ({"exec": {"command": "x", "env": [{"name": "n", "value": 1}]}}, "the value of n must be text"),
    ],
)
def test_a_user_that_cannot_be_used(fields: dict[str, Any], said: str):
    with pytest.raises(InvalidArgument, match=said):
        read_user(user(**fields), {})


def test_a_plugin():
    fields = {"command": "bin/login", "args": ["a", "b c"], "apiVersion": "v1beta1", "installHint": "get it",
              "interactiveMode": "Never", "provideClusterInfo": True,
              "env": [{"name": "AWS_PROFILE", "value": "dev"}, {"name": "EMPTY"}]}  # fmt: skip
    env = {"AWS_PROFILE": "prod", "PATH": "/bin", "SECRET_OF_MINE": "x"}
    found = read_user(user(exec=fields), env).plugin
    assert found is not None
    assert found.command == "/home/me/.kube/bin/login", "with a slash it counts from the file's folder"
    assert found.args == ("a", "b c")
    assert found.env == {"AWS_PROFILE": "dev", "EMPTY": "", "PATH": "/bin"}
    assert (found.api_version, found.install_hint, found.interactive, found.cluster_info) == (
        "v1beta1", "get it", "Never", True,
    )  # fmt: skip
    plain = read_user(user(exec={"command": "aws"}), {}).plugin
    assert plain is not None
    assert plain.command == "aws"


def test_which_variables_reach_plugins():
    env = {"AWS_X": "1", "AZURE_X": "1", "GOOGLE_X": "1", "CLOUDSDK_X": "1", "HTTPS_PROXY": "1", "no_proxy": "1",
           "SSL_CERT_FILE": "1", "HOME": "1", "PATH": "1", "GITHUB_TOKEN": "1", "MY_A": "1", "OTHER": "1",
           "NOTEBOOK_MUX_PLUGIN_ENV": "MY_*, OTHER"}  # fmt: skip
    assert set(plugin_variables(env)) == set(env) - {"GITHUB_TOKEN", "NOTEBOOK_MUX_PLUGIN_ENV"}


def test_the_reference_is_of_content():
    def ref(server: dict[str, Any], person: dict[str, Any], env: dict[str, str] | None = None) -> str:
        return reference(read_server(cluster(**server), env or {}), read_user(user(**person), env or {}))

    plain = ref({}, {"token": "t"})
    assert len(plain) == 32
    assert plain == ref({}, {"token": "t"})
    assert plain == ref({}, {"token": "t"}, {"PATH": "/other", "AWS_PROFILE": "x"}), "no plugin, no variables"
    differing = [
        plain, ref({"server": "https://d"}, {"token": "t"}), ref({}, {"token": "u"}), ref({}, {}),
        ref({}, {"token": "t", "as": "jane"}), ref({}, {"tokenFile": "t"}),
        ref({}, {"exec": {"command": "x"}}), ref({}, {"exec": {"command": "x"}}, {"AWS_PROFILE": "a"}),
        ref({}, {"token": "t"}, {"HTTPS_PROXY": "p"}), ref({"proxy_url": "http://a:b@p"}, {"token": "t"}),
        ref({"proxy_url": "http://a:c@p"}, {"token": "t"}),
    ]  # fmt: skip
    assert len(set(differing)) == len(differing)
    assert all(set(one) <= set("0123456789abcdef") for one in differing)
