"""What a command gives: a table, data, or words; and whether it is waited for or looked at while it goes on."""

from __future__ import annotations

from notebook_mux.magics.words import Words

TABLE, JSON, YAML, DIFF, LOG, TEXT = "table", "json", "yaml", "diff", "log", "text"

TABLES = frozenset({"get", "events", "top", "api-resources"})

COLUMNS = ("custom-columns", "custom-columns-file")
"""Outputs that are tables too, with columns of the user's own; their columns stand behind ``=``."""

LONG = frozenset({"wait", "delete", "drain", "attach"})
"""Verbs that last and say on the way what has happened."""


def kind_of(words: Words) -> str:
    """What the output is; one of the words above."""
    verb, output = words.verb, words.value("output")
    if words.has("help") or words.has("raw"):
        return TEXT
    if output in ("json", "yaml"):
        return output
    if verb in ("logs", "diff"):
        return {"logs": LOG, "diff": DIFF}[verb]
    if verb == "config" and words.names[:1] in ((), ("view",)):
        return YAML
    listed = (verb == "auth" and words.has("list")) or (verb == "config" and words.names[:1] == ("get-contexts",))
    if (verb in TABLES or listed) and not words.has("no-headers"):
        return TABLE if output in ("", "wide") or output.partition("=")[0] in COLUMNS else TEXT
    return TEXT


def is_endless(words: Words) -> bool:
    """Whether it goes on until somebody interrupts it, which is its usual end."""
    return any(words.has(name) for name in ("watch", "watch-only", "follow")) and not words.has("help")


def is_long(words: Words) -> bool:
    """Whether its lines are shown as they come."""
    rolls = words.verb == "rollout" and words.names[:1] == ("status",)
    return is_endless(words) or words.verb in LONG or rolls


def is_failure(words: Words, returncode: int, stdout: str) -> bool:
    """Whether an exit code means that the command failed: some answer a question by it."""
    if words.verb == "diff" and returncode == 1:
        return False  # there are differences
    if words.verb == "auth" and words.names[:1] == ("can-i",) and stdout.startswith("no"):
        return False
    return returncode != 0
