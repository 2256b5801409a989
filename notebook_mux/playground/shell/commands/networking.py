"""``nslookup``, ``wget``, ``curl``, ``ping``, ``nc``: the cluster's own services, as its state has them."""

from __future__ import annotations

import re

from notebook_mux.playground import web
from notebook_mux.playground.shell import network
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.running import Fail, Run
from notebook_mux.playground.shell.streams import Sink

URL = re.compile(r"(?:(https?)://)?([^/:@?#]+)(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?")
TIMEOUT_S = 10.0
"""Without an answer a program waits; a real one longer."""


def resolver(run: Run) -> str:
    """The address of the cluster's DNS, as ``/etc/resolv.conf`` has it."""
    text = run.container.files.read("/etc/resolv.conf").decode("utf-8", "replace")
    match = re.search(r"^nameserver\s+(\S+)", text, re.MULTILINE)
    return match[1] if match else "10.96.0.10"


@command("nslookup", "a name of the cluster's DNS")
async def nslookup(run: Run) -> int:
    """``nslookup name``."""
    names = [arg for arg in run.args if not arg.startswith("-")]
    if not names:
        raise Fail("usage: nslookup [HOST]")
    server = resolver(run)
    await run.write(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n")
    try:
        full, found = network.full_name(run.container, names[0]), network.addresses(run.container, names[0])
    except web.Unresolved:
        await run.write(f"** server can't find {names[0]}: NXDOMAIN\n\n")
        return 1
    await run.write("".join(f"Name:\t{full}\nAddress: {address}\n" for address in found) + "\n")
    return 0


@command("getent", "a name's addresses: getent hosts name")
async def getent(run: Run) -> int:
    """``getent hosts name``."""
    if len(run.args) < 2 or run.args[0] not in ("hosts", "ahosts"):
        return 1
    try:
        full, found = network.full_name(run.container, run.args[1]), network.addresses(run.container, run.args[1])
    except web.Unresolved:
        return 2
    await run.write("".join(f"{address:15} {full}\n" for address in found))
    return 0


@command("host", "a name of the cluster's DNS")
async def host(run: Run) -> int:
    """``host name``."""
    if not run.args:
        raise Fail("missing operand")
    try:
        full, found = network.full_name(run.container, run.args[0]), network.addresses(run.container, run.args[0])
    except web.Unresolved:
        await run.write(f"Host {run.args[0]} not found: 3(NXDOMAIN)\n")
        return 1
    await run.write("".join(f"{full} has address {address}\n" for address in found))
    return 0


def parts_of(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of a URL.

    Raises:
        Fail: It is none.
    """
    match = URL.fullmatch(url)
    if match is None or int(match[3] or 0) > 65535:
        raise Fail(f"bad address '{url}'", 3)
    scheme = match[1] or "http"
    path = match[4] or "/"
    return scheme, match[2], int(match[3] or (443 if scheme == "https" else 80)), path if path[0] == "/" else f"/{path}"


async def fetched(run: Run, url: str, request: web.Request, seconds: float) -> web.Response:
    """The response at a URL.

    Raises:
        Fail: It is no URL.
        web.NetworkError: There is no response.
    """
    _, name, port, path = parts_of(url)
    headers = (("Host", name if port in (80, 443) else f"{name}:{port}"), *request.headers)
    asked = web.Request(request.method, path, headers, request.body, client=run.container.address)
    await run.spend(5)
    try:
        return network.asked(run.container, name, port, asked)
    except web.TimedOut:
        await run.container.sleep(seconds)
        raise


def _output(run: Run, name: str) -> Sink:
    return run.streams.stdout if name in ("", "-") else run.open_sink(name)


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,3}(\.\d{1,3})?", text) else TIMEOUT_S


@command("wget", "a page of a service: -q -O - URL")
async def wget(run: Run) -> int:
    """``wget [-q] [-O file] [-T seconds] [-S] [--spider] URL``."""
    options, urls = run.options("qO:T:St:cY:P:U:", "spider", "timeout=", "tries=", "header=", "no-check-certificate",
                                "quiet", "output-document=", "post-data=")  # fmt: skip
    if not urls:
        raise Fail("missing URL")
    quiet = "q" in options or "quiet" in options
    _, name, port, path = parts_of(urls[0])
    body = options.get("post-data", "").encode()
    headers = (("User-Agent", "Wget"), *((_header(options["header"]),) if "header" in options else ()))
    asked = web.Request("POST" if body else "GET", "/", headers, body)
    try:
        address = next(iter(network.addresses(run.container, name)), name)
        if not quiet:
            await run.streams.stderr.write(f"Connecting to {name} ({address}:{port})\n".encode())
        answer = await fetched(run, urls[0], asked, _seconds(options.get("T") or options.get("timeout") or ""))
    except web.Unresolved:
        raise Fail(f"bad address '{name}'") from None
    except web.ConnectionRefused:
        raise Fail(f"can't connect to remote host ({address}): Connection refused") from None
    except web.TimedOut:
        raise Fail("download timed out") from None
    except web.NetworkError:
        raise Fail("error getting response") from None
    if "S" in options:
        head = f"  HTTP/1.1 {answer.status} {answer.reason}\n"
        head += "".join(f"  {key}: {value}\n" for key, value in answer.fields())
        await run.streams.stderr.write(head.encode())
    if answer.status >= 400:
        raise Fail(f"server returned error: HTTP/1.1 {answer.status} {answer.reason}")
    if "spider" in options:
        return 0
    to = options.get("O") or options.get("output-document") or path.partition("?")[0].rpartition("/")[2] or "index.html"
    if not quiet:
        await run.streams.stderr.write(f"saving to '{to}'\n".encode() if to != "-" else b"writing to stdout\n")
    await _output(run, to).write(answer.body)
    if not quiet and to != "-":
        await run.streams.stderr.write(f"'{to}' saved\n".encode())
    return 0


CURL_FAILED = {"name": 6, "refused": 7, "status": 22, "time": 28, "empty": 52}
"""Exit codes of curl (curl.se, man page)."""


@command("curl", "a page of a service: -s -i -I -o file -w form -X method -d data URL")
async def curl(run: Run) -> int:
    """``curl [-s] [-i] [-I] [-f] [-o file] [-w form] [-m seconds] URL``."""
    options, urls = run.options("sSiIfLvko:w:m:H:X:d:u:A:O", "max-time=", "connect-timeout=", "silent", "fail", "head",
                                "include", "location", "insecure", "cacert=", "header=", "request=", "data=",
                                "retry=", "output=", "write-out=", "show-error")  # fmt: skip
    if not urls:
        raise Fail("(2) no URL specified", 2)
    silent = ("s" in options or "silent" in options) and not ("S" in options or "show-error" in options)
    _, name, port, path = parts_of(urls[0])
    seconds = _seconds(options.get("m") or options.get("max-time") or options.get("connect-timeout") or "")
    only_head = "I" in options or "head" in options
    body = (options.get("d") or options.get("data") or "").encode()
    method = options.get("X") or options.get("request") or ("HEAD" if only_head else "POST" if body else "GET")
    given = options.get("H") or options.get("header")
    headers = (("User-Agent", "curl/8.14.1"), ("Accept", "*/*"), *((_header(given),) if given else ()))

    async def failed(why: str, said: str) -> int:
        if not silent:
            await run.streams.stderr.write(f"curl: ({CURL_FAILED[why]}) {said}\n".encode())
        return CURL_FAILED[why]

    try:
        answer = await fetched(run, urls[0], web.Request(method, "/", headers, body), seconds)
    except web.Unresolved:
        return await failed("name", f"Could not resolve host: {name}")
    except web.ConnectionRefused:
        return await failed(
            "refused", f"Failed to connect to {name} port {port} after 0 ms: Could not connect to server"
        )
    except web.TimedOut:
        return await failed("time", f"Connection timed out after {int(seconds * 1000)} milliseconds")
    except web.NetworkError:
        return await failed("empty", "Empty reply from server")
    if answer.status >= 400 and ("f" in options or "fail" in options):
        return await failed("status", f"The requested URL returned error: {answer.status}")
    head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n"
    head += "".join(f"{key}: {value}\r\n" for key, value in answer.fields())
    if "v" in options:
        await run.streams.stderr.write(f"> {method} {path} HTTP/1.1\n> Host: {name}\n".encode() + head.encode())
    shown = (head + "\r\n").encode() if only_head or "i" in options or "include" in options else b""
    shown += b"" if only_head else answer.body
    await _output(run, options.get("o") or options.get("output") or "").write(shown)
    form = options.get("w") or options.get("write-out") or ""
    for key, value in (("http_code", answer.status), ("response_code", answer.status), ("time_total", "0.001"),
                       ("size_download", len(answer.body))):  # fmt: skip
        form = form.replace(f"%{{{key}}}", str(value))
    await run.write(form.replace("\\n", "\n").replace("\\t", "\t"))
    return 0


@command("ping", "whether a pod is there: -c 3")
async def ping(run: Run) -> int:
    """``ping [-c count] [-W seconds] name``."""
    options, names = run.options("c:W:w:i:q46")
    if not names:
        raise Fail("missing operand")
    try:
        address = next(iter(network.addresses(run.container, names[0])), "")
    except web.Unresolved:
        raise Fail(f"bad address '{names[0]}'") from None
    is_there = any(one.fields["status.podIP"] == address for one in run.container.cluster.store.items("pods"))
    count = run.whole(options["c"]) if "c" in options else 1_000_000
    await run.write(f"PING {names[0]} ({address}): 56 data bytes\n")
    got = sent = 0
    try:
        while sent < count:
            if sent:
                await run.container.sleep(1)
            sent += 1
            if is_there:
                got += 1
                await run.write(f"64 bytes from {address}: seq={sent - 1} ttl=63 time=0.{100 + sent % 90} ms\n")
        if not is_there:
            await run.container.sleep(1)
    finally:
        lost = 100 * (sent - got) // max(1, sent)
        if sent >= count:
            await run.write(f"\n--- {names[0]} ping statistics ---\n"
                            f"{sent} packets transmitted, {got} packets received, "
                            f"{lost}% packet loss\n")  # fmt: skip
    return int(not got)


@command("nc", "whether a port is open: -z -v host port")
async def nc(run: Run) -> int:
    """``nc -z [-v] [-w seconds] host port``."""
    options, words = run.options("zvw:nlp:")
    if "l" in options or len(words) < 2:
        raise Fail("the playground's emulation only looks whether a port is open: nc -zv HOST PORT")
    said = f"{words[0]} ({words[0]}:{words[1]})"
    try:
        said = f"{words[0]} ({next(iter(network.addresses(run.container, words[0])), words[0])}:{words[1]})"
        network.is_open(run.container, words[0], run.whole(words[1]))
    except web.Unresolved:
        raise Fail(f"bad address '{words[0]}'") from None
    except web.TimedOut:
        await run.container.sleep(run.whole(options.get("w", "5")))
        await run.streams.stderr.write(f"nc: {said}: Operation timed out\n".encode())
        return 1
    except web.NetworkError:
        await run.streams.stderr.write(f"nc: {said}: Connection refused\n".encode())
        return 1
    if "v" in options:
        await run.streams.stderr.write(f"{said} open\n".encode())
    return 0


@command("ip", "the pod's address: ip addr")
async def ip(run: Run) -> int:
    """``ip addr``."""
    await run.write("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n"
                    "    inet 127.0.0.1/8 scope host lo\n"
                    "2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue\n"
                    f"    inet {run.container.address}/24 scope global eth0\n")  # fmt: skip
    return 0


@command("ifconfig", "the pod's address")
async def ifconfig(run: Run) -> int:
    """``ifconfig``."""
    await run.write("eth0      Link encap:Ethernet  HWaddr 0A:58:0A:F4:00:02\n"
                    f"          inet addr:{run.container.address}  Mask:255.255.255.0\n"
                    "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n\n"
                    "lo        Link encap:Local Loopback\n          inet addr:127.0.0.1  Mask:255.0.0.0\n")  # fmt: skip
    return 0


@command("netstat", "where the pod listens: -tlnp")
async def netstat(run: Run) -> int:
    """``netstat -tln``; ``ss`` is the same."""
    await run.write("Active Internet connections (only servers)\n"
                    "Proto Recv-Q Send-Q Local Address           Foreign Address         State\n")  # fmt: skip
    for port in network.ports(run.container):
        await run.write(f"tcp        0      0 {f'0.0.0.0:{port}':23} 0.0.0.0:*               LISTEN\n")
    return 0


@command("ss", "where the pod listens: -tln")
async def ss(run: Run) -> int:
    """``ss -tln``."""
    return await netstat(run)
