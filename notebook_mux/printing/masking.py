"""What looks like a secret in a line of text, replaced. Text in, text out.

It is a net with holes: it finds what has the form of a credential, or stands behind a name of one. Each expression
takes time that grows with the line and not faster, whatever is in it: lines come from whoever writes logs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Hashable, Iterable

MASKED = "<masked>"

_NAMES = (
    "passw(?:or)?d|passwd|passphrase|pwd|(?<![A-Za-z])pass"
    "|secret|client[_-]?secret|secret[_-]?(?:access[_-]?)?key(?:[_-]?base)?|private[_-]?key|signing[_-]?key|encryption[_-]?key"
    "|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|shared[_-]?access[_-]?key|auth[_-]?key"
    "|credentials?|j?sessionid|phpsessid|connection[_-]?string"
)
"""Names of secrets, or their ends: ``DB_PASSWORD``, ``dbPassword``, ``x-api-key``; ``token_count`` does not end so."""

_PLAIN = ("true", "false", "null", "none", "nil", "undefined", "redacted", "[redacted]", "<nil>", "<none>")
"""Values that say nothing."""

_HARMLESS = re.compile(r"[*xX•.\-]+|<[^<>]*>|\[[A-Za-z ]*\]|\$\{?[\w.]*\}?|%[sdvq]|\{[\w.]*\}")
"""Values that are masked already, or stand for a value."""

_PATH = re.compile(r"[/~.][\w./~-]*")
"""What ``PWD`` has, which is no password."""

_RANDOM = 20
"""From so many characters on a word behind "token: " is one; below, it must have a digit. A parser's
``unexpected token: identifier`` is none."""

_SHORT = 8

_FORMS = re.compile(
    r"(?<![\w-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{22,}"  # GitHub
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[\w-]{16,}"  # GitLab
    r"|xox[abcdeoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}"  # Slack
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])"  # AWS
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"  # Google
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{20,}"  # Stripe
    r"|sk-[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|dckr_pat_[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_[a-f0-9]{40,}|hv[sbr]\.[\w-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
    r"|eyJ[\w-]{8,}(?:\.[\w-]*){1,4}"  # a JSON Web Token, or what encrypts one
    r")"
)
"""Tokens that show by their form whose they are."""

_PAIR = re.compile(
    rf"(?P<name>{_NAMES})(?P<between>\\?[\"']?\s{{0,3}}(?:=>|:=|[:=])\s{{0,3}}(?:[bru]?(?=[\"']))?)"
    r"(?P<value>\\\"(?:[^\"\\]|\\(?!\").)*|\"(?:[^\"\\]|\\.)*|'[^']*|[^\s,;&|\"'(){}]+)",
    re.IGNORECASE,
)
"""``name=value``, ``name: value``, ``"name":"value"``; also within a text within JSON."""

_AUTH = re.compile(r"(?P<name>(?<=[\"'])auth\\?[\"']\s{0,3}:\s{0,3}\\?[\"'])[A-Za-z0-9+/]{12,}={0,2}")
"""A registry's credentials, as Docker keeps them."""

_OPTION = re.compile(
    rf"(?P<name>(?<![\w-])--?[\w-]{{0,40}}(?:{_NAMES})) {{1,3}}(?P<value>[^\s\-\"'][^\s\"']*)", re.IGNORECASE
)
"""``--password hunter2``."""

_HEADER = re.compile(
    r"(?P<name>(?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie))"
    r"(?P<between>[\"']?\s{0,3}[:=]\s{0,3}[\"'\[]{0,3})"
    r"(?P<scheme>(?:bearer|basic|digest|token|negotiate|aws4-hmac-sha256)\s{1,3})?(?P<value>[^\"'\r\n\]]+)",
    re.IGNORECASE,
)
"""Headers whose whole value is secret."""

_SCHEME = re.compile(r"(?P<name>(?<![\w-])(?:bearer|basic)\s{1,3})(?P<value>[\w.~+/=-]{8,})", re.IGNORECASE)

_URL = re.compile(r"(?<=://)(?P<user>[^\s/:@\"'<>]{0,256})(?P<value>:[^\s/\"'<>]{1,512})?@(?=[\w\[.])")
"""``https://user:password@host``."""

_QUERY = re.compile(
    r"(?P<name>[?&](?:sig|signature|code|key|auth|sid|x-amz-(?:signature|security-token|credential))=)"
    r"(?P<value>[^\s&\"'<>#]+)",
    re.IGNORECASE,
)

_HOOK = re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+|(?<=discord\.com/api/webhooks/)[\w/-]+")

_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BASE64 = re.compile(r"(?:^|[\s\"'>|])[A-Za-z0-9+/]{16,}={0,2}(?:$|[\s\"'\\])|^[\s\w]*[A-Za-z0-9+/]{1,16}={1,2}\s*$")
_BLOCK_HEAD = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment):|^\s*$")

_HINTS = (
    "pass", "pwd", "secret", "token", "key", "cred", "sess", "auth", "cookie", "bearer", "basic", "connection", "://",
    "eyj", "?", "&", "-----", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_", "gl", "xox", "xapp", "akia", "asia",
    "abia", "acca", "aiza", "ya29", "gocspx", "sk-", "sk_", "rk_", "whsec", "npm_", "pypi-", "dckr", "hf_", "sg.",
    "dop_v1", "hvs.", "hvb.", "hvr.", "hooks.", "webhooks",
)  # fmt: skip
"""Without one of these there is nothing to find: most lines are done with one look."""


def masked(text: str) -> str:
    """A line, or several, with what looks like a secret replaced by ``<masked>``."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    text = _whole_blocks(text)
    text = _HEADER.sub(_header, text)
    text = _FORMS.sub(MASKED, text)
    text = _HOOK.sub(MASKED, text)
    text = _URL.sub(_url, text)
    text = _AUTH.sub(rf"\g<name>{MASKED}", text)
    text = _PAIR.sub(_pair, text)
    text = _OPTION.sub(_option, text)
    text = _SCHEME.sub(_scheme, text)
    return _QUERY.sub(rf"\g<name>{MASKED}", text)


def masker() -> Callable[[Hashable, str], str]:
    """A function that masks line by line, and so keys that are printed over several lines.

    It takes what a line is of, for lines of several are mixed, and the line.
    """
    inside: set[Hashable] = set()

    def mask(source: Hashable, text: str) -> str:
        if source in inside:
            if _BLOCK_END.search(text):
                inside.discard(source)
                return MASKED
            if _BASE64.search(text) or _BLOCK_HEAD.search(text):
                return MASKED
            inside.discard(source)  # its end is missing
        elif "-----" not in text:
            return masked(text)
        elif _BLOCK_END.search(text) and not _BLOCK.search(text):
            return MASKED  # its beginning is not here
        begun = deque(_BLOCK.finditer(text), maxlen=1)
        if begun and not _BLOCK_END.search(text, begun[0].end()):
            inside.add(source)
        return masked(text)

    return mask


def masked_lines(lines: Iterable[tuple[Hashable, str]]) -> list[str]:
    """Lines with what they are of, masked; also the rest of a key whose beginning is missing."""
    taken = list(lines)
    mask = masker()
    done = [mask(source, text) for source, text in taken]
    for at, (source, text) in enumerate(taken):
        if done[at] == MASKED and _BLOCK_END.search(text):
            for before in range(at - 1, -1, -1):
                if taken[before][0] != source:
                    continue
                if done[before] != MASKED and not _BASE64.search(taken[before][1]):
                    break
                done[before] = MASKED
    return done


def _whole_blocks(text: str) -> str:
    """Private keys in one line, with or without their end."""
    parts, at = [], 0
    while (begun := _BLOCK.search(text, at)) is not None:
        end = _BLOCK_END.search(text, begun.end())
        parts += [text[at : begun.start()], MASKED]
        at = end.end() if end is not None else len(text)
    return "".join([*parts, text[at:]])


def _header(found: re.Match[str]) -> str:
    before, value = f"{found['name']}{found['between']}{found['scheme'] or ''}", found["value"]
    if (found["scheme"] or "").lower().startswith(("bearer", "basic", "token")):
        return before + MASKED + value[len(value.split()[0]) :]
    if _is_plain(value.strip()) or ("=" not in value and not _is_random(value.split()[0])):
        return found[0]  # "authorization: denied by policy"
    return before + MASKED


def _pair(found: re.Match[str]) -> str:
    name, between, given = found["name"].lower(), found["between"], found["value"]
    quote = re.match(r"\\?[\"']", given)
    value = given[len(quote[0]) :] if quote else given
    if _is_plain(value) or value.startswith(MASKED):
        return found[0]
    if name == "pwd" and _PATH.fullmatch(value):
        return found[0]
    is_password = name.startswith(("pass", "pwd")) and name != "pass"  # which tests do, too
    if not is_password and value.replace(".", "").isdigit() and len(value) < _SHORT:
        return found[0]  # a count
    certain = quote is not None or "=" in between or between[0] in "\\\"'"
    if not certain and not is_password and not _is_random(value):
        return found[0]  # "token: expired"
    if quote is not None and " " in value and not is_password and not _is_random(value.split()[0]):
        return found[0]  # secret: "db is not there"
    return f"{found['name']}{between}{quote[0] if quote else ''}{MASKED}"


def _option(found: re.Match[str]) -> str:
    return found[0] if _is_plain(found["value"]) else f"{found['name']} {MASKED}"


def _scheme(found: re.Match[str]) -> str:
    value = found["value"]
    has = any(c.isdigit() for c in value) or value.endswith("=") or len(value) > 2 * _RANDOM
    return f"{found['name']}{MASKED}" if has else found[0]  # "basic authentication"


def _url(found: re.Match[str]) -> str:
    if found["value"] is not None:
        return found[0] if _is_plain(found["value"][1:]) else f"{found['user']}:{MASKED}@"
    return f"{MASKED}@" if len(found["user"]) >= _RANDOM and _is_random(found["user"]) else found[0]


def _is_plain(value: str) -> bool:
    return not value or value.lower() in _PLAIN or _HARMLESS.fullmatch(value) is not None


def _is_random(word: str) -> bool:
    return len(word) >= _RANDOM or (len(word) >= _SHORT and any(c.isdigit() for c in word))
