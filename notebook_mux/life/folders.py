"""The folders that belong to this user on this machine, checked before anything in them is believed.

The runtime folder has tokens in it, so it is local (never a home folder on a file server), of this user, and closed
to everybody else. The configuration folder has the user id, which should follow the user, so it is in the home.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from notebook_mux.errors import GatewayError

__all__ = ["config_dir", "is_local", "log_dir", "owner", "private_dir", "runtime_dir", "runtime_dirs"]

FOLDER = "notebook-mux"

REMOTE_TYPES = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gpfs"),
        *("lustre", "ncpfs", "nfs", "nfs4", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "virtiofs"),
    }
)
"""File systems other machines may share (mountinfo(5), field "filesystem type")."""


def owner() -> str:
    """Who this process is to the system: the numeric user id, or the user's name where there are none."""
    if sys.platform == "win32":
        return getpass.getuser()
    return str(os.getuid())


def private_dir(path: Path) -> Path:
    """Make a folder that only this user can enter, or make sure that the one there is such.

    Raises:
        GatewayError: It is a link, is not ours, or others could have put files into it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise _refused(path, "cannot be made", said=str(error)) from None
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(path, "is not a folder")
    if sys.platform != "win32":  # there folders inherit the rights of the user's own
        if found.st_uid != os.getuid():
            raise _refused(path, f"belongs to another user (uid {found.st_uid})")
        if found.st_mode & 0o022:
            raise _refused(path, "can be written by other users")
        if found.st_mode & 0o055:
            path.chmod(0o700)
    return path


def _refused(path: Path, why: str, said: str | None = None) -> GatewayError:
    return GatewayError(
        f"the folder {path} {why}",
        said=said,
        todo="set NOTEBOOK_MUX_RUNTIME_DIR to a folder that only you can enter, in kernels and terminals alike",
    )


def runtime_dir(env: Mapping[str, str] | None = None) -> Path:
    """The folder of runtime files, locks and logs; made if it is not there.

    ``NOTEBOOK_MUX_RUNTIME_DIR``, else ``XDG_RUNTIME_DIR/notebook-mux`` if that folder is this user's and local, else
    ``notebook-mux-<uid>`` in the folder for temporary files.

    Raises:
        GatewayError: The folder is not safe to use.
    """
    return private_dir(_candidates(os.environ if env is None else env)[0])


def runtime_dirs(env: Mapping[str, str] | None = None) -> list[Path]:
    """All folders that may have this user's runtime files, the one in use first; none is made.

    A terminal often has ``XDG_RUNTIME_DIR`` where a kernel started by a service has not: ``status`` looks in both.
    """
    found = []
    for path in _candidates(os.environ if env is None else env):
        if path.is_dir():
            try:
                found.append(private_dir(path))
            except GatewayError:
                continue
    return found


def _candidates(env: Mapping[str, str]) -> list[Path]:
    if named := env.get("NOTEBOOK_MUX_RUNTIME_DIR"):
        return [Path(named).expanduser().absolute()]
    found = []
    if (xdg := env.get("XDG_RUNTIME_DIR")) and _is_private(Path(xdg)) and is_local(Path(xdg)):
        found.append(Path(xdg) / FOLDER)
    if sys.platform == "win32" and (local := env.get("LOCALAPPDATA")):
        found.append(Path(local) / FOLDER / "runtime")
    else:
        found.append(Path(tempfile.gettempdir()) / f"{FOLDER}-{owner()}")
    return found


def _is_private(path: Path) -> bool:
    """The XDG base directory specification: owned by the user, mode 0700, an absolute path."""
    try:
        found = path.lstat()
    except OSError:
        return False
    if not path.is_absolute() or not stat.S_ISDIR(found.st_mode):
        return False
    return sys.platform == "win32" or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def is_local(path: Path, mounts: str | None = None) -> bool:
    """Whether a folder is on this machine, as far as the system's table of mounts tells.

    Args:
        path: The folder.
        mounts: The text of ``/proc/self/mountinfo``; read if not given. Without one the answer is yes.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return True
    real = os.path.realpath(path)
    longest, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, types = before.split(), after.split()
        if len(fields) < 5 or not types:
            continue
        point = fields[4].replace("\\040", " ")
        inside = point == "/" or real == point or real.startswith(point + "/")
        if inside and len(point) >= longest:  # of two mounts on one place the later hides the other
            longest, kind = len(point), types[0]
    return kind not in REMOTE_TYPES


def log_dir(env: Mapping[str, str] | None = None) -> Path:
    """The folder of the services' logs, in the runtime folder: they are about this machine, until it restarts."""
    return private_dir(runtime_dir(env) / "logs")


def config_dir(env: Mapping[str, str] | None = None) -> Path:
    """The folder of this user's settings; not made here, for a home may be read-only."""
    env = os.environ if env is None else env
    xdg = env.get("XDG_CONFIG_HOME", "")
    if xdg and Path(xdg).is_absolute():
        return Path(xdg) / FOLDER
    if sys.platform == "win32" and (roaming := env.get("APPDATA")):
        return Path(roaming) / FOLDER
    home = env.get("HOME")
    return (Path(home) if home else Path("~").expanduser()) / ".config" / FOLDER
