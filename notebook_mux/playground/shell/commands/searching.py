"""``grep``: lines that fit."""

from __future__ import annotations

import re

from notebook_mux.playground.shell.commands.finding import walked
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.commands.text import decoded
from notebook_mux.playground.shell.inodes import File, FileFault, Folder
from notebook_mux.playground.shell.patterns import fits
from notebook_mux.playground.shell.regex import Match, Regex
from notebook_mux.playground.shell.running import Fail, Run
from notebook_mux.playground.shell.streams import Source, lines


@command("grep", "lines that fit: -i -v -n -c -l -o -r -E -F -w -q")
async def grep(run: Run) -> int:
    """``grep [options] pattern files``."""
    options, rest = run.options("ivnclLoqrREFGwxhHse:m:A:B:C:a", "color=", "include=")
    if "e" in options:
        pattern = options["e"]
    elif rest:
        pattern = rest.pop(0)
    else:
        raise Fail("usage: grep [-HhnlLoqvsriwFEc] PATTERN [FILE]...", 2)
    extended = "E" in options or run.name.endswith("egrep")
    if "F" in options:
        pattern, extended = re.sub(r"([\\.\[\]*^$+?{}|()])", r"\\\1", pattern), True
    pattern = pattern.replace("\n", "|" if extended else "\\|")
    if "w" in options:
        pattern = f"\\b({pattern})\\b" if extended else f"\\b\\({pattern}\\)\\b"
    if "x" in options:
        pattern = f"^({pattern})$" if extended else f"^\\({pattern}\\)$"
    regex = Regex(pattern, extended=extended, ignore_case="i" in options)
    recursive = "r" in options or "R" in options
    names = rest or (["."] if recursive else ["-"])
    labelled = ("H" in options or len(names) > 1 or recursive) and "h" not in options
    search = _Search(run, regex, options, labelled)
    for name in names:
        if name == "-":
            await search.through("(standard input)", run.streams.stdin)
            continue
        try:
            if recursive:
                async for label, place, _ in walked(run, name):
                    if isinstance(place.node, File) and fits(place.name, options.get("include", "*")):
                        await search.through(label, run.open_source(label))
            elif isinstance(run.container.files.node(name, run.cwd), Folder):
                await run.complain(f"{name}: Is a directory", 2)
            else:
                await search.through(name, run.open_source(name))
        except FileFault as fault:
            if "s" not in options:
                await run.complain(f"{name}: {fault}", 2)
        if search.found and "q" in options:
            return 0
    return run.code or int(not search.found)


class _Search:
    def __init__(self, run: Run, regex: Regex, options: dict[str, str], labelled: bool):
        self.run = run
        self.regex = regex
        self.options = options
        self.labelled = labelled
        self.found = False
        both = options.get("C", "0")
        self.before, self.after = (run.whole(options.get(flag, both)) for flag in "BA")

    async def through(self, label: str, source: Source) -> None:
        """Search one file."""
        options, count, number, following = self.options, 0, 0, 0
        limit = self.run.whole(options["m"]) if "m" in options else None
        prefix = f"{label}:" if self.labelled else ""
        earlier = list[tuple[int, str]]()
        async for line in lines(source):
            number += 1
            text = decoded(line).rstrip("\n")
            await self.run.spend(0.1 + len(text) / 512)
            match = self.regex.search(text)
            await self.run.spend(self.regex.owed())
            if (match is None) != ("v" in options):
                if following and not {"c", "l", "L", "q", "o"} & set(options):
                    following -= 1
                    await self._tell(prefix, number, text, "-")
                elif self.before:
                    earlier = [*earlier, (number, text)][-self.before :]
                continue
            count += 1
            self.found = True
            if "q" in options or "l" in options:
                break
            if not {"c", "L"} & set(options):
                for at, other in earlier:
                    await self._tell(prefix, at, other, "-")
                earlier = []
                following = self.after
                if "o" in options and match is not None:
                    await self._parts(prefix, number, text, match)
                else:
                    await self._tell(prefix, number, text, ":")
            if limit is not None and count >= limit:
                break
        if "c" in options:
            await self.run.write(f"{prefix}{count}\n")
        elif ("l" in options and count) or ("L" in options and not count):
            await self.run.write(f"{label}\n")

    async def _tell(self, prefix: str, number: int, text: str, mark: str) -> None:
        where = f"{number}{mark}" if "n" in self.options else ""
        await self.run.write(f"{prefix[:-1] + mark if prefix else ''}{where}{text}\n")

    async def _parts(self, prefix: str, number: int, text: str, match: Match | None) -> None:
        at = 0
        while match is not None:
            if match.end > match.start:
                await self._tell(prefix, number, text[match.start : match.end], ":")
            at = max(match.end, at + 1)
            match = self.regex.search(text, at) if at <= len(text) else None


@command("egrep", "lines that fit an extended pattern")
async def egrep(run: Run) -> int:
    """``grep -E``."""
    return await grep(run)
