"""Programs of the system: ``ps``, ``top``, ``id``, ``uname``, ``date``, ``free``, ``stty`` and what is not here."""

from __future__ import annotations

import re
import signal
from datetime import UTC, datetime

from notebook_mux.playground.shell import kernel
from notebook_mux.playground.shell.commands.registry import ABOUT, COMMANDS, command
from notebook_mux.playground.shell.environment import quantity
from notebook_mux.playground.shell.processes import Process
from notebook_mux.playground.shell.running import Fail, Run
from notebook_mux.playground.stories.program import spaced

HELP = """\
This is an emulation of a shell in notebook_mux's playground, not a real container.
Files are in memory, belong to this container and go with it; volumes are kept as on a
cluster. Nothing runs on your machine, and there is no network but the cluster's own
services, answered from the cluster's state. Programs of the image do not run.

Programs:
"""
NOT_HERE = {
    "vi": "the playground's emulation has no editor: use echo or cat <<EOF > file",
    "nano": "the playground's emulation has no editor: use echo or cat <<EOF > file",
    "awk": "the playground's emulation has none: cut, sed and a shell's loops may do",
    "apt-get": "packages cannot be installed in the playground's emulation",
    "apk": "packages cannot be installed in the playground's emulation",
    "ssh": "the playground's emulation has no network but the cluster's own",
}
"""What people look for and will not find, and what it says."""

MEMORY_OF_A_PROCESS = 4_000


@command("help", "this")
async def help_(run: Run) -> int:
    """``help``."""
    await run.write(HELP)
    there = run.container.program_names(run.environment.get("PATH", ""))
    for name in sorted(COMMANDS):
        if ABOUT.get(name) and name in there:
            await run.write(f"  {name:10} {ABOUT[name]}\n")
    return 0


def _not_here(name: str, why: str) -> None:
    async def refused(run: Run) -> int:
        await run.complain(why)
        return 1

    command(name)(refused)


for _name, _why in NOT_HERE.items():
    _not_here(_name, _why)


def _age(seconds: float) -> str:
    seconds = int(max(0, seconds))
    return (
        f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        if seconds >= 3600
        else f"{seconds // 60}:{seconds % 60:02}"
    )


def _user(number: int) -> str:
    return {0: "root", 65534: "nobody"}.get(number, str(number))


def listed(run: Run) -> list[Process]:
    """The processes that are seen from here, by number."""
    return sorted(run.container.seen(), key=lambda process: process.pid)


@command("ps", "processes: aux, -ef")
async def ps(run: Run) -> int:
    """``ps``, ``ps aux``, ``ps -ef``."""
    flags = "".join(run.args).replace("-", "")
    now = run.container.now()
    if "f" in flags or "u" in flags:
        full = "f" in flags
        await run.write("UID          PID    PPID  C STIME TTY          TIME CMD\n" if full else
                        "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")  # fmt: skip
        for one in listed(run):
            start = spaced(one.started, "%H:%M" if now - one.started < 86_400 else "%b%d")
            words, tty = " ".join(one.words), one.terminal or "?"
            row = (f"{_user(one.user):8} {one.pid:7} {one.parent:7}  0 {start} {tty:8} 00:00:00 {words}" if full else
                   f"{_user(one.user):8} {one.pid:7}  0.0  0.0   4400  {MEMORY_OF_A_PROCESS} {tty:8} S    {start}   0:00 {words}")  # fmt: skip  # noqa: E501
            await run.write(f"{row}\n")
        return 0
    await run.write("PID   USER     TIME  COMMAND\n")
    for one in listed(run):
        await run.write(f"{one.pid:5} {_user(one.user):8} 0:00 {' '.join(one.words)}\n")
    return 0


@command("top", "processes, once")
async def top(run: Run) -> int:
    """``top [-b] [-n 1]``: one screen."""
    total = int(quantity(run.container.node_status.get("capacity", {}).get("memory", "32Gi"))) // 1024
    found = listed(run)
    await run.write(f"Mem: {total // 2}K used, {total - total // 2}K free, 0K shrd, 0K buff, 0K cached\n"
                    "CPU:   2% usr   1% sys   0% nic  97% idle   0% io   0% irq   0% sirq\n"
                    f"Load average: 0.42 0.37 0.35 1/{200 + len(found)} {found[-1].pid if found else 1}\n"
                    "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n")  # fmt: skip
    for one in found:
        await run.write(
            f"{one.pid:5} {one.parent:5} {_user(one.user):8} S    {4400:6}   0%   0   0% {' '.join(one.words)}\n"
        )
    return 0


@command("pgrep", "numbers of processes")
async def pgrep(run: Run) -> int:
    """``pgrep [-f] word``."""
    words = [word for word in run.args if not word.startswith("-")]
    if not words:
        raise Fail("missing operand")
    found = [one for one in listed(run) if one is not run.process and words[0] in " ".join(one.words)]
    await run.write("".join(f"{one.pid}\n" for one in found))
    return int(not found)


@command("pidof", "numbers of processes")
async def pidof(run: Run) -> int:
    """``pidof names``."""
    found = [
        str(one.pid)
        for one in listed(run)
        if one.words and one.words[0].partition(":")[0].rpartition("/")[2] in run.args
    ]
    if found:
        await run.write(" ".join(reversed(found)) + "\n")
    return int(not found)


@command("killall", "signals by name")
async def killall(run: Run) -> int:
    """``killall [-signal] names``."""
    number, names = int(signal.SIGTERM), list(run.args)
    if names and (match := re.fullmatch(r"-(?:SIG)?(\w+)", names[0])):
        names.pop(0)
        named = {one.name.removeprefix("SIG"): int(one) for one in signal.Signals}
        number = int(match[1]) if match[1].isdigit() and len(match[1]) < 3 else named.get(match[1].upper(), number)
    for name in names:
        found = [one for one in listed(run) if one.words and one.words[0].partition(":")[0].rpartition("/")[2] == name]
        for one in found:
            run.container.signal(one.pid, number)
        if not found:
            await run.complain(f"{name}: no process killed")
    return 0


@command("id", "who one is")
async def id_(run: Run) -> int:
    """``id [-u] [-g] [-n]``."""
    files = run.container.files
    options, _ = run.options("ugnG")
    if "u" in options or "g" in options:
        number = files.uid if "u" in options else files.gid
        await run.write(f"{_user(number) if 'n' in options else number}\n")
        return 0
    name = {0: "(root)", 65534: "(nobody)"}
    groups = [files.gid, *files.groups] + ([10] if not files.uid and run.container.image.family == "busybox" else [])
    shown = ",".join(f"{one}{ {0: '(root)', 10: '(wheel)'}.get(one, '') }" for one in dict.fromkeys(groups))
    await run.write(
        f"uid={files.uid}{name.get(files.uid, '')} gid={files.gid}{'(root)' if not files.gid else ''} groups={shown}\n"
    )
    return 0


@command("whoami", "who one is")
async def whoami(run: Run) -> int:
    """``whoami``."""
    uid = run.container.files.uid
    if uid not in (0, 65534):
        raise Fail(f"unknown uid {uid}")
    await run.write(f"{_user(uid)}\n")
    return 0


@command("hostname", "the pod's name: -i for its address")
async def hostname(run: Run) -> int:
    """``hostname [-i] [-f]``."""
    if "-i" in run.args or "-I" in run.args:
        await run.write(f"{run.container.address}\n")
    elif [arg for arg in run.args if not arg.startswith("-")]:
        raise Fail("sethostname: Operation not permitted")
    else:
        await run.write(f"{run.container.hostname}\n")
    return 0


@command("uname", "the system: -a")
async def uname(run: Run) -> int:
    """``uname [-a] [-r] [-n] [-m]``."""
    options, _ = run.options("asnrvmpio")
    values = {"s": "Linux", "n": run.container.hostname, "r": run.container.kernel,
              "v": "#1 SMP PREEMPT_DYNAMIC (playground)", "m": "x86_64", "o": "GNU/Linux"}  # fmt: skip
    chosen = "snrvmo" if "a" in options else [flag for flag in "snrvmo" if flag in options] or ["s"]
    await run.write(" ".join(values[flag] for flag in chosen) + "\n")
    return 0


@command("arch", "the machine")
async def arch(run: Run) -> int:
    """``arch``."""
    await run.write("x86_64\n")
    return 0


@command("date", "the cluster's time: +%H:%M")
async def date(run: Run) -> int:
    """``date [-u] [-d @seconds] [+form]``."""
    options, words = run.options("uId:R", "utc", "iso-8601")
    at = run.container.now()
    if match := re.fullmatch(r"@(\d{1,11})", options.get("d", "")):
        at = float(match[1])
    elif "d" in options:
        raise Fail(f"invalid date '{options['d']}'")
    form = next((word[1:] for word in words if word.startswith("+")), "")
    if "I" in options or "iso-8601" in options:
        form = "%Y-%m-%d"
    if "R" in options:
        form = "%a, %d %b %Y %H:%M:%S +0000"
    moment = datetime.fromtimestamp(at, UTC)
    form = form or "%a %b %e %H:%M:%S UTC %Y"
    form = form.replace("%N", f"{int(at % 1 * 1e9):09d}").replace("%s", str(int(at))).replace("%e", f"{moment.day:2}")
    await run.write(moment.strftime(form.replace("\0", ""))[:4096] + "\n")
    return 0


@command("uptime", "since when the node runs")
async def uptime(run: Run) -> int:
    """``uptime``."""
    await run.write(
        f" {spaced(run.container.now(), '%H:%M:%S')} up 9 days,  0 users,  load average: 0.42, 0.37, 0.35\n"
    )
    return 0


@command("free", "the node's memory: -m -h")
async def free(run: Run) -> int:
    """``free [-m] [-h]``."""
    options, _ = run.options("bkmgh")
    total = quantity(run.container.node_status.get("capacity", {}).get("memory", "32Gi"))
    divisor = {"b": 1, "m": 1024**2, "g": 1024**3, "h": 1024**3}.get(next(iter(options), "k"), 1024)
    numbers = [total, total * 0.4, total * 0.35, total * 0.01, total * 0.25, total * 0.55]
    shown = "".join(f"{f'{one / divisor:.1f}G' if 'h' in options else int(one // divisor):>12}" for one in numbers)
    await run.write("              total        used        free      shared  buff/cache   available\n"
                    f"Mem:  {shown}\nSwap: {0:>12}{0:>12}{0:>12}\n")  # fmt: skip
    return 0


@command("nproc", "the node's cores")
async def nproc(run: Run) -> int:
    """``nproc``."""
    await run.write(f"{int(quantity(run.container.node_status.get('capacity', {}).get('cpu', '8'))) or 1}\n")
    return 0


@command("mount", "what is mounted")
async def mount(run: Run) -> int:
    """``mount``."""
    if [arg for arg in run.args if not arg.startswith("-")]:
        raise Fail("permission denied (are you root?)")
    for line in kernel.mounts(run.container).splitlines():
        source, path, kind, flags, *_ = line.split(" ")
        await run.write(f"{source} on {path} type {kind} ({flags})\n")
    return 0


@command("which", "where programs are")
async def which(run: Run) -> int:
    """``which names``."""
    for name in run.args:
        path = run.container.path_of(name, run.environment.get("PATH", ""), run.cwd)
        if path:
            await run.write(f"{path}\n")
        else:
            run.code = 1
    return 0


@command("stty", "the terminal: size")
async def stty(run: Run) -> int:
    """``stty size``, ``stty -a``; ``stty echo`` and ``stty -echo``."""
    terminal = run.terminal
    if terminal is None:
        raise Fail("standard input: Inappropriate ioctl for device")
    if "size" in run.args:
        await run.write(f"{terminal.rows} {terminal.columns}\n")
    elif not run.args or "-a" in run.args:
        await run.write(f"speed 38400 baud; rows {terminal.rows}; columns {terminal.columns};\n")
    terminal.echoes = "-echo" not in run.args and (terminal.echoes or "echo" in run.args or "sane" in run.args)
    return 0


@command("tty", "the terminal's name")
async def tty(run: Run) -> int:
    """``tty``."""
    if run.terminal is None:
        await run.write("not a tty\n")
        return 1
    await run.write("/dev/pts/0\n")
    return 0


@command("clear", "an empty screen")
async def clear(run: Run) -> int:
    """``clear``."""
    await run.write("\x1b[H\x1b[J")
    return 0


@command("reset", "an empty screen")
async def reset(run: Run) -> int:
    """``reset``."""
    await run.write("\x1bc")
    return 0


@command("sync", "nothing")
async def sync(run: Run) -> int:
    """``sync``."""
    return 0


@command("less", "a file, as a whole")
async def less(run: Run) -> int:
    """``less file``: the emulation does not page."""
    return await COMMANDS["cat"](run)


@command("more", "a file, as a whole")
async def more(run: Run) -> int:
    """``more file``: the emulation does not page."""
    return await COMMANDS["cat"](run)


@command("logger", "nothing")
async def logger(run: Run) -> int:
    """``logger words``."""
    return 0


@command("nginx", "its version, and whether its configuration is there: -t, -v, -s reload")
async def nginx(run: Run) -> int:
    """``nginx -t``, ``nginx -v``, ``nginx -s reload``."""
    version = run.environment.get("NGINX_VERSION", "")
    if not version:
        raise Fail("not found", 127)
    if "-v" in run.args or "-V" in run.args:
        await run.streams.stderr.write(f"nginx version: nginx/{version}\n".encode())
    elif "-t" in run.args:
        run.container.files.read("/etc/nginx/nginx.conf")
        said = "the configuration file /etc/nginx/nginx.conf syntax is ok (it is not read by the emulation)\n"
        await run.streams.stderr.write(f"nginx: {said}".encode())
    return 0
