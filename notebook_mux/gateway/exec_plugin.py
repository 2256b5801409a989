"""Exec plugins: a program that prints credentials (KEP-541, ``client.authentication.k8s.io``).

Run as an argument list, never by a shell, without a terminal, in the environment of the one who asked.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway.entries import Plugin, Server
from notebook_mux.life.redact import redact

PLUGIN_SECONDS = 60.0
"""A plugin's time limit: cloud logins answer in under ten; one that waits for a browser must not hold all else."""

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
WORDS = 400
"""Characters of a plugin's last words that an error shows."""


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
            f"the credential plugin {plugin.command!r} wants a terminal (interactiveMode: Always)",
            todo="log in from a terminal with kubectl first, or set interactiveMode: IfAvailable if it can do without",
        )
    if plugin.api_version not in API_VERSIONS:
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} speaks {plugin.api_version!r}, which is not supported",
            todo=f"set its apiVersion to {API_VERSIONS[0]}",
        )
    program = shutil.which(plugin.command, path=plugin.env.get("PATH", os.defpath))
    if program is None:
        where = "there" if Path(plugin.command).is_absolute() else "on the PATH"
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} is not {where}",
            said=plugin.install_hint.strip() or None,
            todo="install it, or start the notebook's server with a PATH that has it",
        )
    code, out, err = await _run([program, *plugin.args], _environment(plugin, server), timeout, plugin.command)
    if code != 0:
        raise LoginRequired(
            f"the credential plugin {plugin.command!r} failed with exit code {code}",
            said=_words(err) or _words(out) or None,
            todo="run it, or kubectl with this context, in a terminal to log in again",
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
            "proxy-url": server.proxy,
            "config": server.exec_config,
        }
        spec["cluster"] = {key: value for key, value in known.items() if value}
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    return {**plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(info)}


async def _run(words: list[str], env: dict[str, str], timeout: float, name: str) -> tuple[int, bytes, bytes]:
    try:
        # Its own session, so that a time limit ends what it started too, and no terminal is there to ask.
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
    except OSError as error:
        raise LoginRequired(
            f"the credential plugin {name!r} cannot be run", said=error.strerror, todo="see whether it is executable"
        ) from None
    try:
        async with asyncio.timeout(timeout):
            out, err = await process.communicate()
    except TimeoutError:
        raise LoginRequired(
            f"the credential plugin {name!r} did not answer within {timeout:.0f} s",
            todo="run kubectl with this context in a terminal; perhaps it waits for a login in the browser",
        ) from None
    finally:
        if process.returncode is None:
            _end(process)
            await process.wait()
    return process.returncode or 0, out, err


def _end(process: asyncio.subprocess.Process) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass


def _words(output: bytes) -> str:
    text = " ".join(output.decode(errors="replace").split())
    return redact(text if len(text) <= WORDS else f"…{text[-WORDS:]}")
