"""A kubeconfig's cluster and user entries as what they mean."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from notebook_mux.gateway import proxies, socks
from notebook_mux.gateway.kubeconfig_files import Entry

PLUGIN_VARIABLES = ("AWS_*", "AZURE_*", "GOOGLE_*", "CLOUDSDK_*", "*_PROXY", "SSL_CERT_*", "HOME", "PATH")
"""The variables of a notebook that reach exec plugins and make part of an identity."""

MORE_VARIABLES = "NOTEBOOK_MUX_PLUGIN_ENV"
"""The variable that names more of them: names or patterns, with commas or blanks between."""

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
"""The cluster extension whose content a plugin gets as its ``config`` (KEP-541)."""

SCHEMES = ("http", "https")

PROXY_SCHEMES = (*SCHEMES, *socks.SCHEMES)
"""What kubectl takes as ``proxy-url`` (client-go, ``clientcmd/client_config.go``), and curl's other name for socks5."""


MODES = ("Never", "IfAvailable", "Always")
"""A plugin's interactiveMode (KEP-541)."""


PLUGINS = {
    "gcp": "the exec plugin gke-gcloud-auth-plugin: gcloud container clusters get-credentials",
    "azure": "the exec plugin kubelogin: kubelogin convert-kubeconfig",
    "openstack": "the exec plugin client-keystone-auth",
}
"""What replaced the other auth-providers, by their names."""


@dataclass(frozen=True, repr=False)
class Server:
    """A cluster entry. `proxy` may have a password in it, `proxy_from` says where it is set."""

    url: str = ""
    ca: bytes | None = None
    ca_file: Path | None = None
    insecure: bool = False
    tls_name: str = ""
    proxy: str = ""
    proxy_from: str = ""
    cert_file: Path | None = None
    cert_dir: Path | None = None
    exec_config: Any = None


@dataclass(frozen=True, repr=False)
class Plugin:
    """How to get credentials from a program (``exec``)."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    api_version: str = "client.authentication.k8s.io/v1"
    install_hint: str = ""
    interactive: str = "IfAvailable"
    cluster_info: bool = False


@dataclass(frozen=True, repr=False)
class Oidc:
    """A login at an OpenID provider (``auth-provider: oidc``). All secrets.

    `file` and `user` say where it stands, `env` has the proxies, `cert_file` and `cert_dir` what is trusted by default.
    """

    issuer: str
    client_id: str
    client_secret: str
    id_token: str
    refresh_token: str
    file: Path
    user: str
    ca: bytes | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    cert_dir: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class User:
    """A user entry; without any field set it is the anonymous user. All secrets."""

    name: str = ""
    cert: bytes | None = None
    cert_file: Path | None = None
    key: bytes | None = None
    key_file: Path | None = None
    token: str = ""
    token_file: Path | None = None
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    impersonate_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plugin: Plugin | None = None
    oidc: Oidc | None = None


def read_server(entry: Entry, env: Mapping[str, str]) -> Server:
    """What a cluster entry means in an environment.

    Raises:
        InvalidArgument: It cannot be used; the error names entry and file.
    """
    ca, ca_file = _data(entry, "certificate-authority-data"), entry.path("certificate-authority")
    insecure = entry.flag("insecure-skip-tls-verify")
    if insecure and (ca or ca_file):
        raise entry.wrong("insecure-skip-tls-verify and a certificate-authority exclude each other")
    url = entry.text("server").strip()
    if not url:
        raise entry.wrong("it has no server")
    if "://" not in url:
        url = f"{'https' if ca or ca_file or insecure else 'http'}://{url}"
    parts, url = _url(entry, "server", url), url.rstrip("/")
    if parts.username is not None or parts.query or parts.fragment:
        raise entry.wrong("server must be a URL without user, query and fragment")
    proxy, proxy_from = entry.text("proxy-url"), "proxy-url"
    if not proxy:
        proxy, proxy_from = proxies.from_environment(url, env)
    if proxy:
        _url(entry, proxy_from, proxy, PROXY_SCHEMES)
    own = ca or ca_file or insecure
    config = next((x.get("extension") for x in _extensions(entry) if x.get("name") == EXEC_EXTENSION), None)
    return Server(
        url=url,
        ca=ca,
        ca_file=None if ca else ca_file,
        insecure=insecure,
        tls_name=_host(entry, "tls-server-name", entry.text("tls-server-name")),
        proxy=proxy,
        proxy_from=proxy_from,
        cert_file=Path(env["SSL_CERT_FILE"]) if not own and env.get("SSL_CERT_FILE") else None,
        cert_dir=Path(env["SSL_CERT_DIR"]) if not own and env.get("SSL_CERT_DIR") else None,
        exec_config=config,
    )


def read_user(entry: Entry, env: Mapping[str, str]) -> User:
    """What a user entry means in an environment.

    Raises:
        InvalidArgument: It cannot be used; the error names entry and file.
    """
    cert, key = _data(entry, "client-certificate-data"), _data(entry, "client-key-data")
    cert_file, key_file = entry.path("client-certificate"), entry.path("client-key")
    if bool(cert or cert_file) != bool(key or key_file):
        raise entry.wrong("client-certificate and client-key are needed together")
    extra = entry.table("as-user-extra")
    if not all(isinstance(v, list) and all(isinstance(t, str) for t in v) for v in extra.values()):
        raise entry.wrong("as-user-extra must have lists of texts")
    user = User(
        name=entry.name,
        cert=cert,
        cert_file=None if cert else cert_file,
        key=key,
        key_file=None if key else key_file,
        token=entry.text("token").strip(),
        token_file=entry.path("tokenFile"),
        impersonate=entry.text("as"),
        impersonate_uid=entry.text("as-uid"),
        impersonate_groups=tuple(entry.texts("as-groups")),
        impersonate_extra={str(k): tuple(v) for k, v in sorted(extra.items())},
        plugin=_plugin(entry, env),
        oidc=_oidc(entry, env),
    )
    if (entry.text("username") or entry.text("password")) and not _logs_in(user):
        raise entry.wrong(
            "username and password (basic authentication) are taken by no Kubernetes since 1.19",
            todo="use a token, a client certificate or an exec plugin",
        )
    _check_impersonation(entry, user)
    if not user.impersonate and (user.impersonate_uid or user.impersonate_groups or extra):
        raise entry.wrong("as-uid, as-groups and as-user-extra need as")
    return user


def _logs_in(user: User) -> bool:
    return bool(user.token or user.token_file or user.cert or user.cert_file or user.plugin or user.oidc)


def _check_impersonation(entry: Entry, user: User) -> None:
    extra = user.impersonate_extra
    for key, texts in (
        ("as", [user.impersonate]),
        ("as-uid", [user.impersonate_uid]),
        ("as-groups", user.impersonate_groups),
        ("as-user-extra", [*extra, *(value for values in extra.values() for value in values)]),
    ):
        # A blank at an end would be lost on the way, and another one be impersonated.
        if not all(text.isprintable() and text == text.strip() for text in texts) or "" in extra:
            raise entry.wrong(f"{key} has characters that no HTTP header can carry")


def plugin_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that reach exec plugins."""
    return dict(_reaching(tuple(sorted(env.items()))))


@lru_cache(maxsize=4)  # one environment for ten thousand contexts
def _reaching(items: tuple[tuple[str, str], ...]) -> dict[str, str]:
    env = dict(items)
    patterns = [*PLUGIN_VARIABLES, *env.get(MORE_VARIABLES, "").replace(",", " ").split()]
    return {
        name: value
        for name, value in items
        if any(fnmatchcase(name, one) or (one == "*_PROXY" and fnmatchcase(name, "*_proxy")) for one in patterns)
    }


def _plugin(entry: Entry, env: Mapping[str, str]) -> Plugin | None:
    fields = entry.table("exec")
    if not fields:
        return None
    inner = Entry("exec of user", entry.name, fields, entry.file)
    command = inner.text("command")
    if not command:
        raise inner.wrong("it has no command")
    if any(mark in command for mark in (os.sep, os.altsep) if mark):
        command = str(entry.file.parent / command)
    variables = plugin_variables(env)
    for item in fields.get("env") or []:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise inner.wrong("env must be a list of name and value")
        value = item.get("value")
        if value is not None and not isinstance(value, str):
            raise inner.wrong(f"the value of {item['name']} must be text", todo="put it in quotes")
        variables[item["name"]] = value or ""
    mode = inner.text("interactiveMode") or Plugin.interactive
    if mode not in MODES:
        raise inner.wrong(f"interactiveMode must be one of {', '.join(MODES)}, not {mode!r}")
    return Plugin(
        command=command,
        args=tuple(inner.texts("args")),
        env=variables,
        api_version=inner.text("apiVersion") or Plugin.api_version,
        install_hint=inner.text("installHint"),
        interactive=mode,
        cluster_info=inner.flag("provideClusterInfo"),
    )


def _oidc(entry: Entry, env: Mapping[str, str]) -> Oidc | None:
    provider = entry.table("auth-provider")
    if not provider:
        return None
    name = provider.get("name")
    if name != "oidc":
        raise entry.wrong(
            f"the auth-provider {name!r} was removed from Kubernetes 1.26",
            todo=f"use {PLUGINS.get(str(name), 'an exec plugin, as its documentation says')}",
        )
    if entry.table("exec"):
        raise entry.wrong("exec and auth-provider exclude each other")
    inner = Entry("auth-provider of user", entry.name, provider, entry.file)
    inner = Entry(inner.kind, entry.name, inner.table("config"), entry.file)
    issuer, client = inner.text("idp-issuer-url").strip(), inner.text("client-id")
    if not issuer or not client:
        raise inner.wrong("it needs idp-issuer-url and client-id")
    if _url(inner, "idp-issuer-url", issuer).scheme != "https":
        raise inner.wrong("idp-issuer-url must be a URL of https")
    ca, ca_file = _data(inner, "idp-certificate-authority-data"), inner.path("idp-certificate-authority")
    own = ca or ca_file
    return Oidc(
        issuer=issuer,
        client_id=client,
        client_secret=inner.text("client-secret"),
        id_token=inner.text("id-token").strip(),
        refresh_token=inner.text("refresh-token").strip(),
        file=entry.file,
        user=entry.name,
        ca=ca,
        ca_file=None if ca else ca_file,
        cert_file=Path(env["SSL_CERT_FILE"]) if not own and env.get("SSL_CERT_FILE") else None,
        cert_dir=Path(env["SSL_CERT_DIR"]) if not own and env.get("SSL_CERT_DIR") else None,
        env={key: value for key, value in plugin_variables(env).items() if key.upper().endswith("_PROXY")},
    )


def _data(entry: Entry, key: str) -> bytes | None:
    text = entry.text(key)
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise entry.wrong(f"{key} is not valid base64") from None


def _url(entry: Entry, key: str, url: str, schemes: tuple[str, ...] = SCHEMES) -> Any:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise entry.wrong(f"{key} is not a URL") from None
    if not valid:
        raise entry.wrong(f"{key} must be a URL of {', '.join(schemes[:-1])} or {schemes[-1]}")
    _host(entry, key, parts.hostname or "")
    return parts


def _host(entry: Entry, key: str, name: str) -> str:
    """The name, if a host can have it (RFC 1035, 2.3.4); over others the resolver and TLS stumble without a word."""
    try:
        name.encode("idna")
    except UnicodeError:
        raise entry.wrong(f"{key} has a host's name with an empty part, or one of more than 63 characters") from None
    return name


def _extensions(entry: Entry) -> list[dict[str, Any]]:
    listed = entry.fields.get("extensions")
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise entry.wrong("extensions must be a list of mappings")
    return listed
