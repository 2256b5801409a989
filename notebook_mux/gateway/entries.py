"""A kubeconfig's cluster and user entries as what they mean."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from notebook_mux.gateway import proxies
from notebook_mux.gateway.kubeconfig_files import Entry

PLUGIN_VARIABLES = ("AWS_*", "AZURE_*", "GOOGLE_*", "CLOUDSDK_*", "*_PROXY", "SSL_CERT_*", "HOME", "PATH")
"""The variables of a notebook that reach exec plugins and make part of an identity."""

MORE_VARIABLES = "NOTEBOOK_MUX_PLUGIN_ENV"
"""The variable that names more of them: names or patterns, with commas or blanks between."""

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
"""The cluster extension whose content a plugin gets as its ``config`` (KEP-541)."""

SCHEMES = ("http", "https")


@dataclass(frozen=True, repr=False)
class Server:
    """A cluster entry. `proxy` may have a password in it."""

    url: str = ""
    ca: bytes | None = None
    ca_file: Path | None = None
    insecure: bool = False
    tls_name: str = ""
    proxy: str = ""
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
class User:
    """A user entry; without any field set it is the anonymous user. All secrets."""

    name: str = ""
    cert: bytes | None = None
    cert_file: Path | None = None
    key: bytes | None = None
    key_file: Path | None = None
    token: str = ""
    token_file: Path | None = None
    username: str = ""
    password: str = ""
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    impersonate_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plugin: Plugin | None = None


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
    proxy = entry.text("proxy-url") or proxies.from_environment(url, env)
    if proxy:
        _url(entry, "proxy-url", proxy)
    own = ca or ca_file or insecure
    config = next((x.get("extension") for x in _extensions(entry) if x.get("name") == EXEC_EXTENSION), None)
    return Server(
        url=url,
        ca=ca,
        ca_file=None if ca else ca_file,
        insecure=insecure,
        tls_name=entry.text("tls-server-name"),
        proxy=proxy,
        cert_file=Path(env["SSL_CERT_FILE"]) if not own and env.get("SSL_CERT_FILE") else None,
        cert_dir=Path(env["SSL_CERT_DIR"]) if not own and env.get("SSL_CERT_DIR") else None,
        exec_config=config,
    )


def read_user(entry: Entry, env: Mapping[str, str]) -> User:
    """What a user entry means in an environment.

    Raises:
        InvalidArgument: It cannot be used; the error names entry and file.
    """
    if provider := entry.table("auth-provider"):
        raise entry.wrong(
            f"auth-provider {provider.get('name')!r} is not supported",
            todo="use an exec plugin, as the provider's documentation says since Kubernetes 1.26",
        )
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
        username=entry.text("username"),
        password=entry.text("password"),
        impersonate=entry.text("as"),
        impersonate_uid=entry.text("as-uid"),
        impersonate_groups=tuple(entry.texts("as-groups")),
        impersonate_extra={str(k): tuple(v) for k, v in sorted(extra.items())},
        plugin=_plugin(entry, env),
    )
    if not user.impersonate and (user.impersonate_uid or user.impersonate_groups or extra):
        raise entry.wrong("as-uid, as-groups and as-user-extra need as")
    return user


def plugin_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that reach exec plugins."""
    patterns = [*PLUGIN_VARIABLES, *env.get(MORE_VARIABLES, "").replace(",", " ").split()]
    return {
        name: value
        for name, value in sorted(env.items())
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
    if "/" in command or "\\" in command:
        command = str(entry.file.parent / command)
    variables = plugin_variables(env)
    for item in fields.get("env") or []:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise inner.wrong("env must be a list of name and value")
        value = item.get("value")
        if value is not None and not isinstance(value, str):
            raise inner.wrong(f"the value of {item['name']} must be text", todo="put it in quotes")
        variables[item["name"]] = value or ""
    return Plugin(
        command=command,
        args=tuple(inner.texts("args")),
        env=variables,
        api_version=inner.text("apiVersion") or Plugin.api_version,
        install_hint=inner.text("installHint"),
        interactive=inner.text("interactiveMode") or "IfAvailable",
        cluster_info=inner.flag("provideClusterInfo"),
    )


def _data(entry: Entry, key: str) -> bytes | None:
    text = entry.text(key)
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise entry.wrong(f"{key} is not valid base64") from None


def _url(entry: Entry, key: str, url: str) -> Any:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise entry.wrong(f"{key} is not a URL") from None
    if parts.scheme.startswith("socks"):
        raise entry.wrong(f"{key}: proxies of the kind {parts.scheme} are not supported", todo="use an http proxy")
    if not valid:
        raise entry.wrong(f"{key} must be a URL of http or https")
    return parts


def _extensions(entry: Entry) -> list[dict[str, Any]]:
    listed = entry.fields.get("extensions")
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise entry.wrong("extensions must be a list of mappings")
    return listed
