"""Servers that everybody knows: nginx, PostgreSQL, Prometheus and the cluster's own, each in its own form of a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from notebook_mux.playground.stories.program import Program, Said, rfc3339_milli, spaced, weighted

PATHS = ((40, "/"), (20, "/static/app.js"), (14, "/static/app.css"), (12, "/favicon.ico"), (10, "/about"), (4, "/old"))
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "curl/8.14.1",
)


class Nginx(Program):
    """A web server: the access log, and its probe every five seconds among the rest, where it has one."""

    pace = 1.2

    def begins(self) -> Iterator[Said]:
        """The words of the image's entrypoint, then of the server."""
        for at, said in (
            (0.05, "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration"),
            (0.07, "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh"),
            (0.12, "/docker-entrypoint.sh: Configuration complete; ready for start up"),
        ):
            yield at, said
        for at, said in ((0.16, f"nginx/{self.scene.tag}"), (0.17, "start worker processes")):
            yield at, self._notice(self.scene.started + at, said)

    def goes_on(self, random: Random, at: float) -> str:
        """A line of the access log, or the error behind a 404."""
        path, client = weighted(random, PATHS), f"10.244.{random.randint(0, 7)}.{random.randint(2, 250)}"
        when = spaced(at, "%d/%b/%Y:%H:%M:%S +0000")
        if random.random() < 0.2 and self._is_probed():
            return f'{client} - - [{when}] "GET /healthz HTTP/1.1" 200 3 "-" "kube-probe/1.37" "-"'
        code, size = (304, 0) if random.random() < 0.2 else (200, random.randint(200, 90_000))
        if path == "/old":
            code, size = 404, 153
        line = f'{client} - - [{when}] "GET {path} HTTP/1.1" {code} {size} "-" "{random.choice(AGENTS)}" "-"'
        if code != 404:
            return line
        said = f'open() "/usr/share/nginx/html{path}" failed (2: No such file or directory), client: {client}'
        return f"{spaced(at, '%Y/%m/%d %H:%M:%S')} [error] 29#29: *{random.randint(1, 9999)} {said}\n{line}"

    def _is_probed(self) -> bool:
        """Whether it has the probe, and the page for it (`web.static.Nginx`)."""
        container = self.scene.container
        probes = (container.get(name) or {} for name in ("readinessProbe", "livenessProbe"))
        asked = any((one.get("httpGet") or {}).get("path") == "/healthz" for one in probes)
        return asked and all(one.get("containerPort") != 80 for one in container.get("ports") or ())

    def stops(self, at: float) -> Sequence[str]:
        """A graceful end."""
        return [self._notice(at, said) for said in ("signal 3 (SIGQUIT) received, shutting down", "exit")]

    @staticmethod
    def _notice(at: float, said: str) -> str:
        return f"{spaced(at, '%Y/%m/%d %H:%M:%S')} [notice] 1#1: {said}"


class Postgres(Program):
    """A database: a checkpoint every few minutes, now and then a slow statement."""

    pace = 0.05

    def begins(self) -> Iterator[Said]:
        """It finds its data and accepts connections."""
        started = self.scene.started
        yield 0.1, "PostgreSQL Database directory appears to contain a database; Skipping initialization"
        for at, said in (
            (0.30, f"starting PostgreSQL {self.scene.tag} on x86_64-pc-linux-gnu, 64-bit"),
            (0.31, 'listening on IPv4 address "0.0.0.0", port 5432'),
            (0.45, "database system was shut down cleanly"),
            (0.62, "database system is ready to accept connections"),
        ):
            yield at, self._log(started + at, said)

    def goes_on(self, random: Random, at: float) -> str:
        """What the server tells of itself."""
        seen = random.random()
        if seen < 0.45:
            buffers, took = random.randint(20, 900), random.uniform(2, 90)
            return self._log(at, f"checkpoint complete: wrote {buffers} buffers ({buffers / 163.84:.1f}%); "
                                 f"write={took:.3f} s, sync=0.011 s, total={took + 0.04:.3f} s")  # fmt: skip
        if seen < 0.85:
            return self._log(at, "checkpoint starting: time")
        if seen < 0.97:
            took, statement = (
                random.uniform(250, 2400),
                "SELECT * FROM orders WHERE customer_id = $1 ORDER BY placed_at",
            )
            return self._log(at, f"duration: {took:.3f} ms  statement: {statement}")
        return "\n".join((
            self._log(at, 'duplicate key value violates unique constraint "carts_pkey"', "ERROR"),
            self._log(at, f"Key (id)=({random.randint(1, 90_000)}) already exists.", "DETAIL"),
            self._log(at, "INSERT INTO carts (id, customer_id) VALUES ($1, $2)", "STATEMENT"),
        ))  # fmt: skip

    def stops(self, at: float) -> Sequence[str]:
        """A fast end."""
        return [self._log(at, said) for said in ("received fast shutdown request", "database system is shut down")]

    @staticmethod
    def _log(at: float, said: str, level: str = "LOG") -> str:
        return f"{spaced(at, '%Y-%m-%d %H:%M:%S.%f')[:-3]} UTC [1] {level}:  {said}"


class Logfmt(Program):
    """A server that writes ``key=value``: Prometheus, its exporter, Grafana."""

    pace = 0.03
    topics: tuple[str, ...] = (
        'component=tsdb msg="write block"',
        'component=tsdb msg="Head GC completed" caller=truncateMemory',
        'component=tsdb msg="Creating checkpoint" from_segment={a} to_segment={b}',
    )
    trouble = 'component="scrape manager" msg="Error on ingesting samples that are too old" num_dropped={a}'
    name = "Prometheus Server"

    def begins(self) -> Iterator[Said]:
        """It starts, and is ready."""
        started = self.scene.started
        yield 0.1, self._line(started + 0.1, "info", f'msg="Starting {self.name}" version={self.scene.tag.lstrip("v")}')
        yield 0.9, self._line(started + 0.9, "info", f'msg="Listening on" address=0.0.0.0:{self.scene.port}')

    def goes_on(self, random: Random, at: float) -> str:
        """Housekeeping; seldom a warning."""
        a = random.randint(100, 900)
        if random.random() < 0.06:
            return self._line(at, "warn", self.trouble.format(a=a))
        said = random.choice(self.topics).format(a=a, b=a + 7)
        return self._line(at, "info", f"{said} duration={random.uniform(2, 900):.3f}ms")

    def stops(self, at: float) -> Sequence[str]:
        """It says so."""
        return [self._line(at, "warn", 'msg="Received an OS signal, exiting gracefully..." signal=terminated')]

    @staticmethod
    def _line(at: float, level: str, said: str) -> str:
        return f"time={rfc3339_milli(at)} level={level.upper()} {said}"


class Grafana(Logfmt):
    """Dashboards."""

    topics = (
        'logger=cleanup msg="Completed cleanup jobs"',
        'logger=plugins.update.checker msg="Update check succeeded"',
        "logger=context userId=1 orgId=1 method=GET path=/api/live/ws status=-1 remote_addr=10.244.1.7:{a}",
    )
    trouble = 'logger=tsdb.prometheus msg="Query took longer than usual" duration={a}0ms'
    name = "Grafana"


class NodeExporter(Logfmt):
    """The exporter of a node's figures: nearly silent."""

    pace = 0.002
    topics = ('collector=filesystem msg="Collector took longer than usual"',)
    trouble = 'collector=nfs msg="collector failed" duration_ms={a}'
    name = "node_exporter"


class Klog(Program):
    """A part of Kubernetes: klog's lines."""

    pace = 0.01

    def begins(self) -> Iterator[Said]:
        """It starts, and waits for its caches."""
        for at, said in (
            (0.1, 'server.go:255] "Version info" version="v1.37.2"'),
            (0.4, 'shared_informer.go:350] "Waiting for caches to sync"'),
            (0.7, 'shared_informer.go:357] "Caches are synced"'),
        ):
            yield at, self._line("I", self.scene.started + at, said)

    def goes_on(self, random: Random, at: float) -> str:
        """Endpoints that came and went; a reflector that had to begin again."""
        if random.random() < 0.15:
            return self._line("W", at, 'reflector.go:561] "watch ended" err="very short watch: unexpected EOF"')
        took = random.uniform(4, 60)
        return self._line("I", at, f'proxier.go:820] "SyncProxyRules complete" elapsed="{took:.3f}ms"')

    @staticmethod
    def _line(level: str, at: float, said: str) -> str:
        return f"{level}{spaced(at, '%m%d %H:%M:%S.%f')}       1 {said}"


class MetricsServer(Klog):
    """The metrics server: a node that does not answer in time is an error."""

    def goes_on(self, random: Random, at: float) -> str:
        """A scrape."""
        node = f"demo-node-{random.randint(1, 3)}"
        if random.random() < 0.1:
            said = f'"Failed to scrape node" err="context deadline exceeded" node="{node}"'
            return self._line("E", at, f"scraper.go:149] {said}")
        took = random.uniform(4, 40)
        return self._line("I", at, f'server.go:191] "Scrape finished" node="{node}" took="{took:.1f}ms"')


class CoreDns(Program):
    """The cluster's names: a few queries that failed."""

    pace = 0.04
    names = ("checkout.shop.svc.cluster.local.", "api.default.svc.cluster.local.", "payments.example.com.")

    def begins(self) -> Iterator[Said]:
        """It reads its file."""
        yield 0.1, ".:53\n[INFO] plugin/reload: Running configuration SHA512 = 591cf328cccc12bc490481273e738df5"
        yield 0.15, "CoreDNS-1.12.1"
        yield 0.2, "linux/amd64, go1.24.1, 707c7c1"

    def goes_on(self, random: Random, at: float) -> str:
        """A query."""
        name = random.choice(self.names)
        source = f"10.244.{random.randint(0, 7)}.{random.randint(2, 250)}:{random.randint(32_768, 60_999)}"
        if random.random() < 0.08:
            return f"[ERROR] plugin/errors: 2 {name} A: read udp {source}->192.168.5.3:53: i/o timeout"
        took = random.uniform(0.0001, 0.02)
        asked = f'{random.randint(1, 65_535)} "A IN {name} udp 60 false 512"'
        return f"[INFO] {source} - {asked} NOERROR qr,aa,rd 118 {took:.9f}s"

    def stops(self, at: float) -> Sequence[str]:
        """It waits for those that still ask."""
        return (
            "[INFO] SIGTERM: Shutting down servers then terminating",
            "[INFO] plugin/health: Going into lameduck mode",
        )
