"""What is in an image: a guess by its name. Files, variables, its own program, and which programs it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from notebook_mux.playground.shell.inodes import Device, File, Folder, Link, Node, Program
from notebook_mux.playground.stories.commands import image_name

BUILT = 1_755_000_000.0
"""When all images were made, Unix seconds: August 2025."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

WITHOUT_SHELL = ("registry.k8s.io/", "gcr.io/distroless", "k8s.gcr.io/")
"""Whose images have their program and nothing else."""

NGINX_CONF = """\
user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;
events {
    worker_connections  1024;
}
http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    access_log  /var/log/nginx/access.log;
    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
"""
NGINX_SITE = """\
server {
    listen       80;
    server_name  localhost;
    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
"""
RELEASES = {
    "busybox": "",
    "alpine": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\n',
    "debian": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n',
}
FOLDERS = ("/etc", "/home", "/proc", "/root", "/run", "/sys", "/usr/lib", "/usr/local/bin", "/var/lib", "/var/log",
           "/var/spool", "/dev/pts", "/opt", "/srv", "/mnt")  # fmt: skip
FREE = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - of the emulation
"""Folders in which everybody may write."""

ONLY_IN: Mapping[str, tuple[str, ...]] = {"bash": ("debian",), "curl": ("debian",), "apt-get": ("debian",)}
"""Programs that not every family has."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Args:
        family: ``busybox``, ``alpine``, ``debian``; ``none`` has no shell.
        command: Its own program's words, where a container does not say others.
        environment: Its variables.
        files: Texts by path; a value that begins with ``->`` is a link.
        folder: Where its programs begin.
        on_term: The exit code of its own program when it is told to end; None if it does not listen.
    """

    family: str = "debian"
    command: tuple[str, ...] = ("/app",)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    on_term: int | None = 143

    @property
    def shell(self) -> str:
        """Its shell's name; empty without one."""
        return {"none": "", "debian": "bash"}.get(self.family, "sh")


def of(image: str) -> Image:
    """What is in an image."""
    name, tag = image_name(image), image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if name == "busybox":
        return Image("busybox", ("sh",), on_term=None)
    if name in ("alpine", "netshoot", "bash"):
        return Image("alpine", ("/bin/sh",), on_term=None)
    if name in ("debian", "ubuntu", "fedora"):
        return Image("debian", ("bash",), on_term=None)
    if any(image.startswith(one) for one in WITHOUT_SHELL):
        return Image("none", (f"/{name}",))
    if name == "nginx":
        return Image(
            "alpine" if "alpine" in tag else "debian",
            ("nginx: master process nginx -g daemon off;",),
            {"NGINX_VERSION": tag.partition("-")[0] or "1.29.1", "PKG_RELEASE": "1~trixie"},
            {
                "/etc/nginx/nginx.conf": NGINX_CONF,
                "/etc/nginx/conf.d/default.conf": NGINX_SITE,
                "/etc/nginx/mime.types": "types {\n    text/html  html htm;\n    text/css  css;\n}\n",
                "/var/log/nginx/access.log": "->/dev/stdout",
                "/var/log/nginx/error.log": "->/dev/stderr",
                "/run/nginx.pid": "1\n",
            },
            on_term=0,
        )
    if name == "postgres":
        return Image(
            "debian", ("postgres",), {"PG_MAJOR": tag.partition(".")[0] or "17", "PGDATA": "/var/lib/postgresql/data"},
            {"/var/lib/postgresql/data/PG_VERSION": f"{tag.partition('.')[0] or '17'}\n"}, on_term=0,
        )  # fmt: skip
    if name in ("redis", "valkey"):
        return Image("debian", ("redis-server *:6379",), {"REDIS_VERSION": tag}, folder="/data", on_term=0)
    if name in ("httpd", "apache"):
        return Image("debian", ("httpd -DFOREGROUND",), {"HTTPD_PREFIX": "/usr/local/apache2"},
                     folder="/usr/local/apache2", on_term=0)  # fmt: skip
    if name in ("prometheus", "node-exporter"):
        return Image("busybox", (f"/bin/{name}",), folder="/prometheus" if name == "prometheus" else "/", on_term=0)
    return Image("alpine" if "alpine" in tag else "debian", (f"/app/{name}",), folder="/app", on_term=143)


def root_of(image: Image, programs: list[str]) -> Folder:
    """The files of an image.

    Args:
        programs: All that there are.
    """
    root = Folder()
    for path in FOLDERS:
        put(root, path, Folder())
    for path in FREE:
        put(root, path, Folder(0o1777))
    put(root, "/root", Folder(0o700))
    put(root, image.folder, Folder())
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        put(root, f"/dev/{name}", Device(name))
    for name in ("stdin", "stdout", "stderr"):
        put(root, f"/dev/{name}", Device(name))
    put(root, "/dev/termination-log", File(mode=0o666))
    put(root, "/var/run", Link("/run"))
    _users(root, image)
    if image.family != "none":
        folder = "/usr/bin" if image.family == "debian" else "/bin"
        if image.family == "debian":
            put(root, "/bin", Link("usr/bin"))
            put(root, "/sbin", Link("usr/sbin"))
            put(root, "/usr/sbin", Folder())
        for name in programs:
            if name == "nginx" and "NGINX_VERSION" not in image.environment:
                continue
            if image.family in ONLY_IN.get(name, (image.family,)):
                put(root, f"{folder}/{name}", Program(name))
        if image.family != "debian":
            put(root, "/usr/bin/env", Program("env"))
        if release := RELEASES[image.family]:
            put(root, "/etc/os-release", File(release.encode()))
    for path, text in image.files.items():
        put(root, path, Link(text[2:]) if text.startswith("->") else File(text.encode()))
    _dated(root)
    return root


def _users(root: Folder, image: Image) -> None:
    shell = "/bin/bash" if image.family == "debian" else "/bin/sh"
    users = [
        f"root:x:0:0:root:/root:{shell}",
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
        "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
        "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin",
    ]
    put(root, "/etc/passwd", File("".join(f"{one}\n" for one in users).encode()))
    put(root, "/etc/group", File(b"root:x:0:\ndaemon:x:1:\nwheel:x:10:root\nwww-data:x:33:\nnogroup:x:65534:\n"))


def put(root: Folder, path: str, node: Node) -> None:
    """Put something into a tree that is being made, with the folders above it."""
    *above, name = [one for one in path.split("/") if one] or [""]
    folder = root
    for part in above:
        found = folder.entries.setdefault(part, Folder())
        if isinstance(found, Link) and found.target in folder.entries:
            found = folder.entries[found.target]
        assert isinstance(found, Folder), path
        folder = found
    if name and not (isinstance(node, Folder) and isinstance(folder.entries.get(name), Folder)):
        folder.entries[name] = node


def _dated(folder: Folder) -> None:
    folder.mtime = BUILT
    for node in folder.entries.values():
        node.mtime = BUILT
        if isinstance(node, Folder):
            _dated(node)
