"""Headlamp's own front end, served from the folder it was built into. None of it is ours, and none of it is changed.

Its files are public, so they need no token; what it shows does. In the desktop app it asks the process that started it
for the token. Here the page's first script answers in that process' place: with the token of the URL that the gateway
printed, which it takes out of the address bar and keeps for the tab.
"""

from __future__ import annotations

import asyncio
import html
import json
from pathlib import Path

from aiohttp import web

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.guard import TOKEN_PARAMETER, refuse

INDEX = "index.html"

HEADERS = {
    # No other page may show it in a frame and have its buttons pressed.
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

BASE_URL = "headlampBaseUrl = __baseUrl__"
"""What Headlamp's server fills in in the page, as well as it makes relative addresses absolute
(backend/cmd/headlamp.go, makeBaseURLReplacements)."""

RELATIVE = ('href="./', 'src="./')

NOT_SERVED = frozenset(
    {
        "auth", "cluster", "drain-node", "drain-node-status", "externalproxy", "metrics", "oidc", "oidc-callback",
        "parseKubeConfig", "portforward", "static-plugins", "user-plugins",
    }
)  # fmt: skip
"""What Headlamp's server has more than the gateway, by the first word of its path: the page is no answer there."""

SCRIPT = """<script>(() => {
  const kept = "notebook-mux-token", given = new URLSearchParams(location.search), heard = new Map();
  if (given.has(TOKEN)) {
    sessionStorage.setItem(kept, given.get(TOKEN));
    given.delete(TOKEN);
    history.replaceState(null, "", location.pathname + (given.size ? "?" + given : "") + location.hash);
  }
  const answers = {
    "request-backend-token": ["backend-token", () => sessionStorage.getItem(kept) ?? ""],
    "request-plugin-permission-secrets": ["plugin-permission-secrets", () => ({})],
  };
  const listeners = (name) => heard.get(name) ?? heard.set(name, new Set()).get(name);
  window.desktopApi = {
    receive: (name, tell) => (listeners(name).add(tell), () => listeners(name).delete(tell)),
    removeListener: (name, tell) => listeners(name).delete(tell),
    send: (name) => {
      const [answer, make] = answers[name] ?? [];
      if (answer) queueMicrotask(() => listeners(answer).forEach((tell) => tell(make())));
    },
  };
})();</script>"""


class Frontend:
    """The folder of a built front end. On the gateway's loop.

    Args:
        folder: Has ``index.html``.
        base: What stands before all paths.

    Raises:
        InvalidArgument: It has none.
    """

    def __init__(self, folder: Path, base: str) -> None:
        self._folder = folder.resolve()
        self._base = base
        if not (self._folder / INDEX).is_file():
            raise InvalidArgument(
                f"{folder} has no {INDEX}",
                todo="build Headlamp's front end (npm ci && npm run build in its folder frontend), and name its build",
            )

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A file, or the page for each path that is none: its routes are paths."""
        name = request.match_info["file"]
        path = await asyncio.to_thread(self._file, name)
        if path is not None and path.name != INDEX:
            return web.FileResponse(path, headers=HEADERS)
        if path is None and ("." in name.rpartition("/")[2] or name.partition("/")[0] in NOT_SERVED):
            return refuse(404, "there is nothing here")
        page = await asyncio.to_thread((self._folder / INDEX).read_text, encoding="utf-8")
        headers = HEADERS | {"Cache-Control": "no-store"}
        return web.Response(text=filled(page, self._base), content_type="text/html", headers=headers)

    def _file(self, name: str) -> Path | None:
        """The file of a name, if it is one and lies in the folder, links followed."""
        try:
            path = (self._folder / name).resolve()
            return path if path.is_relative_to(self._folder) and path.is_file() else None
        except (OSError, ValueError):  # too long, or with a null character
            return None


def filled(page: str, base: str) -> str:
    """The page with what Headlamp's server fills in, and with the script before all others."""
    page = page.replace(BASE_URL, f"headlampBaseUrl = {json.dumps(base or '/')}")
    for relative in RELATIVE:
        page = page.replace(relative, f"{relative.removesuffix('./')}{html.escape(base)}/")
    script = SCRIPT.replace("TOKEN", json.dumps(TOKEN_PARAMETER))
    head, tag, rest = page.partition("<head>")
    return f"{head}{tag}{script}{rest}" if tag else f"{script}{page}"
