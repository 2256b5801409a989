"""One context after the other, or several at a time: its entry, the way there, the login, what it answers."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from notebook_mux.checks.certificates import SOON_SECONDS, end_of_certificate, end_of_file, end_of_token, span
from notebook_mux.checks.entries import ANONYMOUS, login_words, plugin_words
from notebook_mux.checks.findings import Findings, Row, Say
from notebook_mux.checks.network import VPN, reach
from notebook_mux.errors import Forbidden, LoginRequired, MuxError, TimedOut
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.entries import User
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.kube import reviews
from notebook_mux.life.privacy import Privacy

ANSWER_SECONDS = 20.0
"""For the login and the first answer: a cloud's plugin takes up to ten. One that waits for a browser is cut short."""

REVIEW_SECONDS = 5.0

AT_ONCE = 8
"""Contexts looked at at the same time."""


async def check_all(contexts: Sequence[ResolvedContext], privacy: Privacy, say: Say) -> list[Row]:
    """The findings of all contexts, in their order; each is told when it is complete."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(context: ResolvedContext) -> list[Row]:
        async with turns:
            say({"t": "now", "what": f"the context {privacy.clean(context.name)}"})
            try:
                rows = await check(context, privacy)
            except Exception as error:  # noqa: BLE001 - what trips over one context must not hide all others
                found = Findings(f"context {context.name}", privacy)
                todo = "report it to who makes notebook-mux, please: it should have words of its own"
                found.add("wrong", "check", f"could not be looked at: {type(error).__name__}: {error}", todo)
                rows = found.rows
            say({"t": "rows", "rows": rows})
            return rows

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(context)) for context in contexts]
    return [row for task in tasks for row in task.result()]


async def check(context: ResolvedContext, privacy: Privacy) -> list[Row]:
    """The findings of one context; what cannot be asked after a failure is left out."""
    found = Findings(f"context {context.name}{' (current)' if context.current else ''}", privacy)
    if context.error is not None:
        found.error("entry", context.error)
        return found.rows
    good = _credentials(found, context.identity, time.time())
    if await reach(found, context.endpoint) and good:
        await _answers(found, context)
    return found.rows


def _credentials(found: Findings, user: User, now: float) -> bool:
    """What can be seen of the login without using it; whether it is worth trying."""
    way = login_words(user)
    if uses_plugin(user):
        return _plugin(found, user)
    end = None
    if user.cert is not None or user.cert_file is not None:
        end = end_of_certificate(user.cert) if user.cert is not None else end_of_file(user.cert_file or Path())
    if user.token and user.token_file is None:
        end = min(filter(None, (end, end_of_token(user.token))), default=None)
    if end is None:
        found.add("info" if way != ANONYMOUS else "warning", "credentials", way)
    elif end <= now:
        todo = "log in again, or get the kubeconfig again from who gave it to you"
        found.add("wrong", "credentials", f"{way}, ended {span(now - end)} ago", todo)
    elif end - now < SOON_SECONDS:
        found.add("info", "credentials", f"{way}, ends in {span(end - now)}")
    else:
        found.add("info", "credentials", f"{way}, good for {span(end - now)}")
    return True


def uses_plugin(user: User) -> bool:
    """Whether an exec plugin is run: one beside a token or a password is not."""
    return user.plugin is not None and not (user.token or user.token_file)


def _plugin(found: Findings, user: User) -> bool:
    plugin = user.plugin
    assert plugin is not None
    words = plugin_words(plugin)
    program = shutil.which(plugin.command, path=plugin.env.get("PATH", ""))
    if program is None:
        where = "there" if Path(plugin.command).is_absolute() else "on the PATH"
        todo = "install it, or start the notebook's server with a PATH that has it"
        hint = f"; {plugin.install_hint.strip()}" if plugin.install_hint.strip() else ""
        found.add("wrong", "plugin", f"{words} is not {where}", todo + hint)
        return False
    found.add("ok", "plugin", f"{words} is at {program}")
    return True


async def _answers(found: Findings, context: ResolvedContext) -> None:
    cluster = Cluster(context)
    try:
        began = time.monotonic()
        try:
            version = (await cluster.probe(ANSWER_SECONDS)).get("version", "")
        except LoginRequired as error:
            found.error("login", error)
        except Forbidden as error:
            found.error("login", error)
        except TimedOut as error:
            if uses_plugin(context.identity):
                what = f"neither the plugin nor the server answered within {ANSWER_SECONDS:g} s"
                todo = "run kubectl with this context in a terminal here: the plugin may wait for a login in a browser"
                found.add("wrong", "login", what, todo)
            else:
                found.error("answer", error)
        except MuxError as error:
            found.error("answer", error, todo=error.todo or VPN)
        else:
            found.add("ok", "login", "the server takes the credentials")
            found.add("ok", "answer", f"Kubernetes {version}, after {time.monotonic() - began:.1f} s")
            await _may_list(found, cluster, context.namespace)
    finally:
        await cluster.aclose()


async def _may_list(found: Findings, cluster: Cluster, namespace: str) -> None:
    for where, words in (("", "all namespaces"), (namespace, f"the namespace {namespace}")):
        try:
            answer = await cluster.request(
                "POST",
                reviews.path_of(reviews.ACCESS),
                headers=reviews.HEADERS,
                body=reviews.access("list", "", "pods", where),
                timeout=REVIEW_SECONDS,
            )
        except MuxError as error:
            found.add("info", "rights", f"not known: {error.what}")
            return
        allowed = reviews.allowed(answer.body)
        if allowed is None:
            found.add("info", "rights", f"not known: the server answered {answer.status}")
            return
        if allowed:
            found.add("ok", "rights", f"may list pods in {words}")
            return
    todo = "name a namespace of yours, nm.connect(namespace='...'), or ask for the right to list pods"
    found.add("wrong", "rights", f"may not list pods in the namespace {namespace}", todo)
