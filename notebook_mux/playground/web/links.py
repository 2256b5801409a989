"""Links of a page that comes through the API server's proxy: those to the server itself go through the proxy too.

(k8s.io/apimachinery, pkg/util/proxy/transport.go: attributes that are URLs, by element.)
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("a", "area", "base", "link"), frozenset({"href"})),
    **dict.fromkeys(("audio", "embed", "script", "source"), frozenset({"src"})),
    **dict.fromkeys(("blockquote", "del", "ins", "q"), frozenset({"cite"})),
    **dict.fromkeys(("frame", "iframe"), frozenset({"longdesc", "src"})),
    "applet": frozenset({"codebase"}),
    "body": frozenset({"background"}),
    "button": frozenset({"formaction"}),
    "command": frozenset({"icon"}),
    "form": frozenset({"action"}),
    "head": frozenset({"profile"}),
    "html": frozenset({"manifest"}),
    "img": frozenset({"longdesc", "src", "usemap"}),
    "input": frozenset({"src", "usemap", "formaction"}),
    "object": frozenset({"classid", "codebase", "data", "usemap"}),
    "video": frozenset({"poster", "src"}),
}


class Links:
    """The proxy's address for what a server calls its own.

    Args:
        prefix: The path of the proxy, without a slash at its end.
        hosts: What the server is called: its own address, and the host that the client asked.
    """

    def __init__(self, prefix: str, *hosts: str) -> None:
        self._prefix = prefix
        self._hosts = frozenset(hosts)

    def moved(self, link: str) -> str:
        """A link as it is by way of the proxy; one that leads elsewhere, or is relative, stays."""
        try:
            parts = urlsplit(link)
        except ValueError:
            return link
        if (parts.netloc and parts.netloc not in self._hosts) or not parts.path.startswith("/"):
            return link
        if parts.path.startswith(self._prefix):
            return parts._replace(scheme="", netloc="").geturl()
        path = posixpath.normpath(self._prefix + parts.path)
        if parts.path.endswith("/"):
            path += "/"
        return parts._replace(scheme="", netloc="", path=path).geturl()

    def page(self, body: bytes) -> bytes:
        """A page with its links moved."""
        return _Page(self).rewritten(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")


class _Page(HTMLParser):
    """Finds the elements with links; everything else stays as it is, letter by letter."""

    def __init__(self, links: Links) -> None:
        super().__init__(convert_charrefs=False)
        self._links = links
        self._edits: list[tuple[tuple[int, int], str, str]] = []
        """Where an element begins (line and column), what it is, and what stands there instead."""

    def rewritten(self, text: str) -> str:
        self.feed(text)
        self.close()
        starts, at = [0], 0
        while (at := text.find("\n", at) + 1) > 0:
            starts.append(at)
        out, done = list[str](), 0
        for (line, column), old, new in self._edits:
            begin = starts[line - 1] + column
            out += [text[done:begin], new]
            done = begin + len(old)
        return "".join([*out, text[done:]])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element(tag, attrs, "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element(tag, attrs, "/")

    def _element(self, tag: str, attrs: list[tuple[str, str | None]], end: str) -> None:
        known = ATTRIBUTES.get(tag, frozenset())
        moved = [(name, self._links.moved(value) if name in known and value else value) for name, value in attrs]
        if moved != attrs:
            said = "".join(f' {name}="{escape(value or "")}"' for name, value in moved)
            self._edits.append((self.getpos(), self.get_starttag_text() or "", f"<{tag}{said}{end}>"))
