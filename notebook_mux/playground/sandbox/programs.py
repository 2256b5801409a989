"""Which programs of this machine are seen in a sandbox: a fixed list, from its system's folders, and what they load.

Left out are programs with the rights of their owners, interpreters and compilers of languages, and all that mounts,
traces or administers.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from notebook_mux.playground.sandbox import elf

FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/run/current-system/sw/bin")
"""Where they are looked for: never in folders of a user's own."""

NAMES = (
    "arch", "awk", "b2sum", "base32", "base64", "basename", "bash", "bc", "cat", "chmod", "chown", "cksum", "clear",
    "cmp", "column", "comm", "cp", "curl", "cut", "date", "dd", "df", "diff", "dir", "dirname", "du", "echo", "ed",
    "egrep", "env", "expand", "expr", "factor", "false", "fgrep", "file", "find", "fmt", "fold", "free", "getent",
    "grep", "groups", "gunzip", "gzip", "head", "hexdump", "hostname", "id", "install", "join", "jq", "kill",
    "killall", "less", "link", "ln", "logname", "ls", "md5sum", "mkdir", "mkfifo", "mktemp", "more", "mv", "nano",
    "nc", "nice", "nl", "nohup", "nproc", "numfmt", "od", "paste", "patch", "pathchk", "pgrep", "pidof", "pinky",
    "pkill", "pmap", "pr", "printenv", "printf", "ps", "ptx", "pwd", "readlink", "realpath", "redis-cli", "reset",
    "rev", "rm", "rmdir", "sed", "seq", "sh", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum",
    "shred", "shuf", "sleep", "sort", "split", "stat", "stty", "sum", "sync", "tac", "tail", "tar", "tee", "telnet",
    "test", "time", "timeout", "top", "touch", "tput", "tr", "tree", "true", "truncate", "tsort", "tty", "uname",
    "unexpand", "uniq", "unlink", "uptime", "vdir", "vi", "vim", "vmstat", "w", "watch", "wc", "which",
    "who", "whoami", "xargs", "xxd", "yes", "zcat", "[",
)  # fmt: skip

ALSO_APPLETS = frozenset({*NAMES, "ash", "nslookup", "wget"})
"""What of busybox is wanted. Its ``wget`` says what went wrong, as the emulation's does; another one need not."""

TERMINALS = ("ansi", "dumb", "linux", "screen", "screen-256color", "tmux-256color", "vt100", "xterm", "xterm-256color")
TERMINFO = ("/usr/share/terminfo", "/lib/terminfo", "/etc/terminfo")

SCRIPT = re.compile(rb"#! ?/bin/(?:sh|bash)\b")
APPLETS_S = 5.0


@dataclass(frozen=True)
class Programs:
    """Programs that were found.

    Args:
        files: By name, where each is on this machine.
        libraries: What they load: paths, the same inside.
        busybox: Where busybox is; empty if it is not there.
        applets: What it can be called.
        terminals: Descriptions of terminals: paths, the same inside.
    """

    files: dict[str, str]
    libraries: tuple[str, ...]
    busybox: str = ""
    applets: frozenset[str] = frozenset()
    terminals: tuple[str, ...] = ()

    def placed(self, folder: str, without: frozenset[str] = frozenset(), *, edits: bool = False) -> Placed:
        """What is to be seen inside.

        Args:
            folder: Of the image's programs: ``/bin``.
            without: Names that an image does not have.
            edits: Whether it is made of busybox, whose ``sh`` edits lines: without that one it is bash.
        """
        files = {name: source for name, source in self.files.items() if name not in without}
        mounted, links, shells = list[tuple[str, str]](), list[tuple[str, str]](), [f"{folder}/bash"]
        if self.busybox:
            if edits:
                files = {name: source for name, source in files.items() if name not in self.applets}
            mounted.append((self.busybox, f"{folder}/busybox"))
            links = [("busybox", f"{folder}/{name}") for name in self.applets - files.keys() - without]
        elif edits and (bash := self.files.get("bash")) is not None:
            files |= {"sh": bash, "ash": bash}
            shells.append(f"{folder}/sh")
        mounted += [(source, f"{folder}/{name}") for name, source in files.items()]
        mounted += [(os.path.realpath(one), one) for one in (*self.libraries, *self.terminals)]
        return Placed(folder, mounted, links, tuple(shells))


@dataclass(frozen=True)
class Placed:
    """Where programs are in a sandbox.

    Args:
        folder: The image's.
        files: Pairs of a path here and one inside.
        links: Pairs of a target and the path of a link.
        shells: Where bash is, if it is anywhere.
    """

    folder: str
    files: list[tuple[str, str]]
    links: list[tuple[str, str]]
    shells: tuple[str, ...]

    @property
    def paths(self) -> frozenset[str]:
        """All paths inside."""
        return frozenset(path for _, path in (*self.files, *self.links))


class NoPrograms(Exception):
    """Too little was found for a shell; the text says what is missing."""


@lru_cache(maxsize=1)
def found() -> Programs:
    """What is there, looked for once in a process.

    Raises:
        NoPrograms: There is no shell.
    """
    busybox = _path("busybox")
    applets = _applets(busybox) if busybox else frozenset[str]()
    files = {name: path for name in NAMES if (path := _path(name)) and path != busybox}
    loaded = set[str]()
    for name, path in [*files.items(), *([("busybox", busybox)] if busybox else ())]:
        try:
            loaded |= frozenset() if _is_script(path) else elf.closure(path)
        except elf.NoElf:
            files.pop(name, None)  # it would not begin
    if "sh" not in files and not applets:
        raise NoPrograms("there is no sh in the system's folders that could run in a sandbox")
    described = [[f"{top}/{name[0]}/{name}" for top in TERMINFO] for name in TERMINALS]
    terminals = tuple(path for paths in described if (path := next(filter(_is_file, paths), "")))
    return Programs(files, tuple(sorted(loaded)), busybox, applets & ALSO_APPLETS, terminals)


def _is_file(path: str) -> bool:
    return Path(path).is_file()


def _path(name: str) -> str:
    """The file of a program; empty if there is none that may be seen inside."""
    for folder in FOLDERS:
        path = os.path.realpath(f"{folder}/{name}")
        try:
            status = Path(path).stat()
            is_script = _is_script(path)
        except OSError:
            continue
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & stat.S_IXOTH or not status.st_mode & stat.S_IROTH:
            continue
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            continue
        if is_script or _is_program(path):
            return path
    return ""


def _is_script(path: str) -> bool:
    with Path(path).open("rb") as file:
        return SCRIPT.match(file.read(32)) is not None


def _is_program(path: str) -> bool:
    try:
        elf.read(path)
    except elf.NoElf:
        return False
    return True


def _applets(busybox: str) -> frozenset[str]:
    try:
        done = subprocess.run(
            [busybox, "--list"], capture_output=True, text=True, timeout=APPLETS_S, check=True, env={}
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(done.stdout.split())
