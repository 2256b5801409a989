"""Exec plugins: a program that prints credentials (KEP-541, ``client.authentication.k8s.io``).

Run as an argument list, never by a shell, without a terminal, in the environment of the one who asked.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import platform
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway import bounded_process
from notebook_mux.gateway.entries import Plugin, Server
from notebook_mux.life.redact import HIDDEN, redact

PLUGIN_SECONDS = 60.0
"""A plugin's time limit: cloud logins answer in under ten; one that waits for a browser must not hold all else."""

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
WORDS = 400
"""Characters of a plugin's last words that an error shows."""

SECRET_NAME = re.compile("secret|token|passw|key|credential", re.IGNORECASE)
"""Variables whose values are taken out of a plugin's words."""

SHORTEST_SECRET = 8
"""Characters; shorter ones would tear words apart."""


@dataclass(frozen=True, repr=False)
class Issued:
    """What a plugin gave. All secrets.

    Attributes:
        token: A bearer token, or "".
        cert: A client certificate in PEM, or None, and its `key`.
        expires: Unix seconds, None if it did not say.
    """

    token: str = ""
    cert: bytes | None = None
    key: bytes | None = None
    expires: float | None = None


async def run(plugin: Plugin, server: Server, *, timeout: float = PLUGIN_SECONDS) -> Issued:
    """Ask a plugin for credentials.

    Args:
        plugin: What to run.
        server: The cluster it is for; told to it where the kubeconfig says provideClusterInfo.
        timeout: Seconds.

    Raises:
        LoginRequired: It is not there, failed, wants a terminal, took too long, or said what cannot be understood.
    """
    if plugin.interactive == "Always":
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} wants a terminal (interactiveMode: Always){_here()}",
            todo="log in from a terminal with kubectl first, or set interactiveMode: IfAvailable if it can do without",
        )
    if plugin.api_version not in API_VERSIONS:
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} speaks {plugin.api_version!r}, which is not supported",
            todo=f"set its apiVersion to {API_VERSIONS[0]}",
        )
    program = _found(plugin)
    if program is None:
        where = "there" if Path(plugin.command).is_absolute() else "on the PATH"
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} is not {where}{_here()}",
            said=plugin.install_hint.strip() or None,
            todo="install it, or start the notebook's server with a PATH that has it",
        )
    environment = await asyncio.to_thread(_environment, plugin, server)
    code, out, err = await _run([program, *plugin.args], environment, timeout, plugin)
    if code != 0:
        # What begins as JSON may be credentials all the same.
        said = _words(err, plugin) or ("" if out.lstrip().startswith(b"{") else _words(out, plugin))
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} failed with {_ending(code)}{_here()}",
            said=said or None,
            todo="run it, or kubectl with this context, in a terminal there to log in again",
        )
    return parse(plugin, out)


def parse(plugin: Plugin, out: bytes) -> Issued:
    """The credentials in a plugin's output.

    Raises:
        LoginRequired: The output is not what the plugin protocol says. The error shows none of it.
    """

    def wrong(what: str) -> LoginRequired:
        return LoginRequired(
            f"the credential plugin {plugin.command!r} answered {what}", todo="see the plugin's documentation"
        )

    try:
        answer = json.loads(out)
        kind, version, status = answer["kind"], answer["apiVersion"], answer["status"]
        token = status.get("token") or ""
        cert, key = status.get("clientCertificateData") or "", status.get("clientKeyData") or ""
        stamp = status.get("expirationTimestamp")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise wrong("with something other than an ExecCredential with a status") from None
    if kind != "ExecCredential" or version != plugin.api_version:
        raise wrong(f"with kind {str(kind)[:40]!r} of {str(version)[:60]!r} instead of {plugin.api_version!r}")
    if not all(isinstance(text, str) for text in (token, cert, key)) or bool(cert) != bool(key):
        raise wrong("with fields of a wrong kind, or a certificate without its key")
    if not token and not cert:
        raise wrong("without a token and without a certificate")
    try:
        expires = datetime.fromisoformat(stamp).timestamp() if stamp else None
    except (ValueError, TypeError):
        raise wrong("with an expirationTimestamp that is no time") from None
    return Issued(token.strip(), cert.encode() or None, key.encode() or None, expires)


def _environment(plugin: Plugin, server: Server) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.cluster_info:
        ca = server.ca
        if ca is None and server.ca_file is not None:
            try:
                ca = Path(server.ca_file).read_bytes()
            except OSError as error:
                raise LoginRequired(
                    f"{server.ca_file} cannot be read for the credential plugin", said=error.strerror
                ) from None
        known = {
            "server": server.url,
            "tls-server-name": server.tls_name,
            "insecure-skip-tls-verify": server.insecure,
            "certificate-authority-data": base64.b64encode(ca).decode() if ca else "",
            # client-go tells the entry's own one only; a plugin has the variables anyway.
            "proxy-url": server.proxy if server.proxy_from == "proxy-url" else "",
            "config": server.exec_config,
        }
        spec["cluster"] = {key: value for key, value in known.items() if value}
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    return {**plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(info)}


async def _run(words: list[str], env: dict[str, str], timeout: float, plugin: Plugin) -> tuple[int, bytes, bytes]:
    try:
        done = await bounded_process.run(words, env, timeout)
    except TimeoutError:
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} did not answer within {timeout:.0f} s{_here()}",
            todo="run kubectl with this context in a terminal there; perhaps it waits for a login in the browser",
        ) from None
    except OSError as error:
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} cannot be run{_here()}",
            said=error.strerror,
            todo="see whether it is executable",
        ) from None
    if done.too_much:
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} printed more than {bounded_process.OUTPUT_BYTES >> 20} MiB"
            f"{_here()} and was ended",
            said=_words(done.err, plugin) or None,
            todo="run it in a terminal and see what it prints",
        )
    return done.code, done.out, done.err


def _found(plugin: Plugin) -> str | None:
    """The program's path, looked for on the plugin's own PATH; entries that count from some folder are left out.

    Go's ``exec.LookPath`` leaves them out too, and the folder would be the gateway's.
    """
    entries = plugin.env.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(plugin.command, path=os.pathsep.join(one for one in entries if Path(one).is_absolute()))


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _here() -> str:
    """The host, for who reads the words may sit before another one."""
    return f" on {platform.node() or 'this host'}"


def _words(output: bytes, plugin: Plugin) -> str:
    """Its last words, without secrets."""
    text = " ".join(output.decode(errors="replace").split())
    for name, value in plugin.env.items():
        if len(value) >= SHORTEST_SECRET and SECRET_NAME.search(name):
            text = text.replace(value, HIDDEN)
    text = redact(text)
    return text if len(text) <= WORDS else f"…{text[-WORDS:]}"
