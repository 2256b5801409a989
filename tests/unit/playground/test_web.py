"""What servers in containers answer, whom a name reaches, and what stands in a log afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux.playground import defaults, web
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.logs.options import LogOptions
from notebook_mux.playground.logs.runs import choose
from notebook_mux.playground.logs.written import Written
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web import Request, Response, accesses
from notebook_mux.playground.web.listening import dial
from notebook_mux.playground.web.messages import http_date, log_date
from tests.unit.playground.worlds import NOW, config_map, world

Json = dict[str, Any]

PLAIN = "text/plain; charset=utf-8"


@pytest.fixture
def cluster() -> Cluster:
    return world()


def run(cluster: Cluster, name: str, image: str, *, replicas: int = 1, **more: Any) -> Stored:
    """A deployment and its service of port 80; its first pod, running."""
    spec: Json = {key: more.pop(key) for key in ("volumes", "hostname") if key in more}
    target = more.pop("target", 80)
    container: Json = {"name": "main", "image": image, **more}
    template: Json = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}
    deployment: Json = {"kind": "Deployment", "apiVersion": "apps/v1",
                        "metadata": {"name": name, "namespace": "default"},
                        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                                 "template": template}}  # fmt: skip
    defaults.apply("deployments.apps", deployment)
    cluster.create(deployment)
    service(cluster, name, target)
    cluster.agenda.step(30)
    return next(one for one in cluster.store.items("pods") if one.labels.get("app") == name)


def service(cluster: Cluster, name: str, target: Any = 80, app: str = "", **spec: Any) -> None:
    number = cluster.store.count("services") + 1
    port: Json = {"name": "http", "port": 80, "targetPort": target, "protocol": "TCP"}
    cluster.create({"kind": "Service", "apiVersion": "v1", "metadata": {"name": name, "namespace": "default"},
                    "spec": {"clusterIP": f"10.96.0.{number + 10}", "selector": {"app": app or name},
                             "type": "ClusterIP", "ports": [port], **spec}})  # fmt: skip


def get(cluster: Cluster, host: str, target: str = "/", port: int = 80, method: str = "GET", **more: Any) -> Response:
    headers = (("Host", host), ("User-Agent", "test/1"), *more.pop("headers", ()))
    return web.answer(cluster, host, port, Request(method, target, headers, **more))


def body(response: Response) -> str:
    return response.body.decode()


# ---------------------------------------------------------------------------------------------------- servers


def test_a_fresh_nginx(cluster: Cluster):
    run(cluster, "web", "docker.io/library/nginx:1.29.0")
    found = get(cluster, "web")
    assert (found.status, found.media, found.header("Server")) == (200, "text/html", "nginx/1.29.0")
    assert "<title>Welcome to nginx!</title>" in body(found)
    assert "playground" in body(found)
    assert found.header("X-Playground").startswith("notebook-mux")
    assert found.header("Date") == http_date(cluster.agenda.now())
    assert body(found) == body(get(cluster, "web", "/index.html"))
    missing = get(cluster, "web", "/nope")
    assert (missing.status, len(missing.body)) == (404, 153), "as its story's log has it"
    assert "<center>nginx/1.29.0</center>" in body(missing)
    assert get(cluster, "web", method="POST").status == 405
    for field, value in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        again = get(cluster, "web", headers=((field, found.header(value)),))
        assert (again.status, again.body) == (304, b"")


PAGE = {"name": "page", "configMap": {"name": "page"}}
MOUNT = {"name": "page", "mountPath": "/usr/share/nginx/html"}


def test_pages_of_volumes(cluster: Cluster):
    cluster.create(config_map("page", **{"index.html": "<h1>mine</h1>", "style.css": "a{}", "data": "x"}))
    run(cluster, "web", "nginx", volumes=[PAGE], volumeMounts=[MOUNT])
    assert body(get(cluster, "web")) == "<h1>mine</h1>"
    assert get(cluster, "web", "/style.css").media == "text/css"
    assert get(cluster, "web", "/data").media == "application/octet-stream"
    assert get(cluster, "web", "/../../style.css").status == 200, "no way out of the folder"
    cluster.update("configmaps", "default", "page", lambda obj: obj["data"].update({"index.html": "new"}))
    assert body(get(cluster, "web")) == "new"
    cluster.update("configmaps", "default", "page", lambda obj: obj["data"].pop("index.html"))
    assert get(cluster, "web").status == 403, "nginx lists no folders"


def test_single_files_folders_and_empty_volumes(cluster: Cluster):
    cluster.create(config_map("page", a="A", b="B"))
    items = {"name": "page", "configMap": {"name": "page", "items": [{"key": "a", "path": "sub/index.html"}]}}
    run(cluster, "items", "nginx", volumes=[items], volumeMounts=[MOUNT])
    moved = get(cluster, "items", "/sub?x=1")
    assert (moved.status, moved.header("Location")) == (301, "http://items/sub/?x=1")
    assert body(get(cluster, "items", "/sub/")) == "A"
    single = {**MOUNT, "mountPath": "/usr/share/nginx/html/index.html", "subPath": "b"}
    run(cluster, "single", "nginx", volumes=[PAGE], volumeMounts=[single])
    assert body(get(cluster, "single")) == "B"
    run(cluster, "empty", "nginx", volumes=[{"name": "page", "emptyDir": {}}], volumeMounts=[MOUNT])
    assert get(cluster, "empty").status == 403
    metadata = {"name": "s", "namespace": "default"}
    cluster.create({"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": {"k": "aGk="}})
    both = [{"secret": {"name": "s"}}, {"configMap": {"name": "page"}}]
    run(cluster, "python", "python:3.13", command=["python3", "-m", "http.server", "80", "-d", "/www"],
        volumes=[{"name": "all", "projected": {"sources": both}}],
        volumeMounts=[{"name": "all", "mountPath": "/www"}])  # fmt: skip
    assert body(get(cluster, "python", "/k")) == "hi"
    listed = "\n".join(f'<li><a href="{name}">{name}</a></li>' for name in "abk")
    assert listed in body(get(cluster, "python"))
    assert get(cluster, "python", "/x").media == "text/html;charset=utf-8"


CONFIG = r"""
upstream backend { server hello:80; }
server {
    listen 8080 default_server; # and no other
    root /www; index start.html index.html;
    add_header X-Mine "for $host";
    location = /healthz { return 200 "ok\n"; }
    location /old/ { return 301 https://$host$request_uri; }
    location /gone { return 410; }
    location /api/ { proxy_pass http://backend/; proxy_set_header X-Real-IP $remote_addr; }
    location /who { proxy_pass http://whoami.default; }
    location /away { proxy_pass http://nowhere:80; }
    location /down { proxy_pass http://10.244.99.1; }
    location /loop { proxy_pass http://127.0.0.1:8080; }
    location ~* \.(png|css)$ { return 403 'no "pictures" of ${uri}'; }
    location / { try_files $uri $uri/ /index.html; }
}
server { listen 8080; server_name other.example; location / { return 200 other; } }
"""


def test_an_nginx_that_is_configured(cluster: Cluster):
    cluster.create(config_map("conf", **{"default.conf": CONFIG}))
    cluster.create(config_map("page", **{"index.html": "single page", "a": "A"}))
    run(cluster, "hello", "hashicorp/http-echo", args=["-text=hi"], target=5678)
    run(cluster, "whoami", "traefik/whoami")
    mounts = [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}, {"name": "page", "mountPath": "/www"}]
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}, PAGE]
    pod = run(cluster, "web", "nginx:1.29", target=8080, volumeMounts=mounts, volumes=volumes,
              ports=[{"containerPort": 80}])  # fmt: skip
    for target, status, says in (
        ("/healthz", 200, "ok\n"), ("/", 200, "single page"), ("/a", 200, "A"), ("/any/route", 200, "single page"),
        ("/gone", 410, "<h1>410 Gone</h1>"), ("/x.PNG", 403, 'no "pictures" of /x.PNG'), ("/api/x?y", 200, "hi\n"),
        ("/away", 502, "502 Bad Gateway"), ("/down", 504, "504 Gateway Time-out"), ("/loop", 502, "502 Bad Gateway"),
    ):  # fmt: skip
        found = get(cluster, "web", target)
        assert (found.status, says in body(found)) == (status, True), (target, body(found))
    moved = get(cluster, "web", "/old/x?y")
    assert (moved.status, moved.header("Location"), moved.header("X-Mine")) == (301, "https://web/old/x?y", "for web")
    shown = body(get(cluster, "web", "/who?x", method="POST"))
    assert "POST /who?x HTTP/1.0\nHost: whoami.default\n" in shown
    assert f"RemoteAddr: {pod.fields['status.podIP']}:" in shown
    assert body(get(cluster, "web", headers=(("Host", "other.example"),))) == "single page", "the first Host counts"
    named = Request("GET", "/", (("Host", "other.example:8080"),))
    assert body(web.answer(cluster, "web", 80, named)) == "other"
    with pytest.raises(web.ConnectionRefused):
        get(cluster, pod.fields["status.podIP"])
    # With what it would not start with, it is as its image is; nginx.conf alone has no other servers.
    cluster.update("configmaps", "default", "conf", lambda obj: obj["data"].update({"default.conf": "server {"}))
    assert get(cluster, pod.fields["status.podIP"]).status == 200
    cluster.create(config_map("main", **{"nginx.conf": "events {}\nhttp { server { listen 81; return 204; } }\n"}))
    only = run(cluster, "only", "nginx", volumes=[{"name": "main", "configMap": {"name": "main"}}],
               volumeMounts=[{"name": "main", "mountPath": "/etc/nginx/nginx.conf",
                              "subPath": "nginx.conf"}])  # fmt: skip
    assert get(cluster, only.fields["status.podIP"], port=81).status == 204
    with pytest.raises(web.ConnectionRefused):
        get(cluster, only.fields["status.podIP"])


@pytest.mark.parametrize(
    ("image", "more", "port", "target", "status", "says"),
    [
        ("httpd:2.4", {}, 80, "/", 200, "It works!"),
        ("httpd:2.4", {}, 80, "/x", 404, "not found on this server"),
        ("caddy", {}, 80, "/", 200, "Caddy works!"),
        ("caddy", {}, 80, "/x", 404, ""),
        ("traefik:v3", {}, 80, "/", 404, "404 page not found"),
        ("busybox", {"command": ["httpd", "-f", "-p", "8080", "-h", "/"]}, 8080, "/", 404, "404 Not Found"),
        ("nginx", {"command": ["sh", "-c", "echo hi; nginx -g 'daemon off;'"]}, 80, "/", 200, "Welcome to nginx!"),
        ("hashicorp/http-echo", {"args": ["-text=hello there", "-listen=:80"]}, 80, "/any", 200, "hello there\n"),
        ("hashicorp/http-echo:1.0", {"args": ["-text", "teapot", "-status-code=418"]}, 5678, "/", 418, "teapot\n"),
        ("gcr.io/google-samples/hello-app:2.0", {}, 8080, "/", 200, "Hello, world!\nVersion: 2.0.0\nHostname: it-"),
        ("gcr.io/google-samples/kubernetes-bootcamp:v1", {}, 8080, "/", 200, "Hello Kubernetes bootcamp! | Running on"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", {"command": ["/agnhost", "netexec", "--http-port=8080"]},
         8080, "/hostname", 200, "it-"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", {"args": ["netexec"]}, 8080, "/echo?msg=hi", 200, "hi"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", {"args": ["serve-hostname"]}, 9376, "/", 200, "it-"),
        ("registry.k8s.io/echoserver:1.10", {}, 8080, "/x?y=1", 200, "real path=/x?y=1"),
        ("traefik/whoami", {}, 80, "/", 200, "User-Agent: test/1"),
        ("gcr.io/kuar-demo/kuard-amd64:blue", {}, 8080, "/healthy", 200, "ok"),
        ("registry.k8s.io/hpa-example", {}, 80, "/", 200, "OK!"),
        ("nginxdemos/hello:plain-text", {}, 80, "/x", 200, "URI: /x"),
        ("stefanprodan/podinfo:6.9.2", {}, 9898, "/readyz", 200, '"status": "OK"'),
        ("ghcr.io/example/checkout:1", {}, 8080, "/orders/7", 200, '"id": "7"'),
        ("quay.io/prometheus/prometheus:v3.5.0", {}, 9090, "/-/healthy", 200, "Prometheus Server is Healthy."),
        ("grafana/grafana:12.1.0", {}, 3000, "/api/health", 200, '"version": "12.1.0"'),
        ("example/own:1", {"ports": [{"containerPort": 7000}]}, 7000, "/x", 200, "runs no images: example/own:1"),
    ],
)  # fmt: skip
def test_servers(cluster: Cluster, image: str, more: Json, port: int, target: str, status: int, says: str):
    pod = run(cluster, "it", image, **more)
    found = get(cluster, pod.fields["status.podIP"], target, port)
    assert found.status == status
    assert says in body(found)


@pytest.mark.parametrize(
    ("image", "more", "port"),
    [
        ("nginx", {"command": ["sleep", "3600"]}, 80),
        ("nginx", {"command": ["cat", "/etc/nginx/nginx.conf"]}, 81),
        ("busybox", {"command": ["sh", "-c", "while true; do sleep 1; done"], "ports": [{"containerPort": 80}]}, 80),
        ("busybox", {"ports": [{"containerPort": 80}]}, 80),
        ("registry.k8s.io/pause:3.10", {"ports": [{"containerPort": 80}]}, 80),
        ("hashicorp/http-echo", {"args": ["-listen=:5000"], "ports": [{"containerPort": 80}]}, 80),
        ("example/own:1", {}, 80),
    ],
)  # fmt: skip
def test_where_nothing_listens(cluster: Cluster, image: str, more: Json, port: int):
    pod = run(cluster, "it", image, **more)
    with pytest.raises(web.ConnectionRefused):
        get(cluster, pod.fields["status.podIP"], port=port)


def test_servers_that_speak_no_http(cluster: Cluster):
    pod = run(cluster, "db", "postgres:17", target=5432)
    with pytest.raises(web.NoHttp):
        get(cluster, "db")
    silent = dial(cluster, pod, 5432)
    assert (silent.receive(b"x"), silent.over) == (b"", True)


def test_a_redis(cluster: Cluster):
    run(cluster, "cache", "redis:8", target=6379)
    one, other = (web.connect(cluster, "cache", 80) for _ in range(2))
    assert one.receive(b"*1\r\n$4\r\nPI") == b""
    assert one.receive(b"NG\r\nSET a 1\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n") == b"+PONG\r\n+OK\r\n$1\r\n1\r\n"
    said = [
        ("INCR a", ":2"), ("APPEND a 5", ":2"), ("GET a", "$2\r\n25"), ("GET b", "$-1"), ("SET b x NX EX 60", "+OK"),
        ("SET b y NX", "$-1"), ("TTL b", ":60"), ("TTL a", ":-1"), ("TTL c", ":-2"),
        ("KEYS [ab]", "*2\r\n$1\r\na\r\n$1\r\nb"),
        ("INCR b", "-ERR value is not an integer or out of range"), ("EXISTS a b c", ":2"), ("DEL b b c", ":1"),
        ("EXPIRE a 5", ":1"), ("EXPIRE c 5", ":0"), ("DBSIZE", ":1"), ("ECHO x", "$1\r\nx"), ("SELECT 1",
        "-ERR DB index is out of range"), ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("LPUSH l x", "-ERR unknown command 'LPUSH', with args beginning with: "),
        ("__class__", "-ERR unknown command '__class__', with args beginning with: "),
    ]  # fmt: skip
    for command, reply in said:
        assert other.receive(f"{command}\r\n".encode()) == f"{reply}\r\n".encode(), command
    cluster.agenda.step(10)
    assert other.receive(b"GET a\r\n") == b"$-1\r\n", "its time is over"
    assert (other.receive(b"QUIT\r\nPING\r\n"), other.over) == (b"+OK\r\n", True)
    assert (one.receive(b"*x\r\n"), one.over) == (b"-ERR Protocol error: expected '*'\r\n", True)


# ---------------------------------------------------------------------------------------------------- network


def test_names(cluster: Cluster):
    pod = run(cluster, "web", "nginx")
    own = cluster.get("services", "default", "web")
    assert own is not None
    address = own["spec"]["clusterIP"]
    full = "web.default.svc.cluster.local"
    for name in ("web", "web.default", "web.default.svc", full.upper(), full, f"{full}."):
        assert web.addresses(cluster, name) == [address]
        assert web.full_name(cluster, name) == full
    assert web.addresses(cluster, "web.default", "kube-system") == [address]
    dashed = pod.fields["status.podIP"].replace(".", "-")
    assert web.addresses(cluster, f"{dashed}.default.pod") == [pod.fields["status.podIP"]]
    for name in ("nope", "web.other", "web.default.svc.cluster.local.x", "example.com", "web.", f"{dashed}.other.pod"):
        with pytest.raises(web.Unresolved):
            web.addresses(cluster, name)
    with pytest.raises(web.Unresolved):
        web.addresses(cluster, "web", "kube-system")


def test_headless_and_other_services(cluster: Cluster):
    run(cluster, "web", "nginx", replicas=3)
    pods = sorted(one.fields["status.podIP"] for one in cluster.store.items("pods"))
    service(cluster, "each", app="web", clusterIP="None")
    service(cluster, "alias", type="ExternalName", externalName="web.default.svc.cluster.local", clusterIP="")
    service(cluster, "away", type="ExternalName", externalName="example.com", clusterIP="")
    service(cluster, "wide", app="web", type="NodePort",
            ports=[{"port": 80, "targetPort": 80, "nodePort": 30080, "protocol": "TCP", "name": ""}])  # fmt: skip
    cluster.agenda.step(1)
    assert sorted(web.addresses(cluster, "each")) == pods
    one = next(iter(cluster.store.items("pods")))
    assert web.addresses(cluster, f"{one.name}.each") == [one.fields["status.podIP"]]
    assert get(cluster, "each").status == 200
    assert get(cluster, "alias").status == 200
    assert get(cluster, "172.18.0.2", port=30080).status == 200
    with pytest.raises(web.Unresolved):
        get(cluster, "away")
    with pytest.raises(web.ConnectionRefused):
        get(cluster, "172.18.0.2", port=30081)


def test_ready_endpoints_take_turns(cluster: Cluster):
    first = run(cluster, "web", "gcr.io/google-samples/hello-app:1.0", replicas=3, target="http",
                ports=[{"name": "http", "containerPort": 8080}])  # fmt: skip
    hosts = [body(get(cluster, "web")).rpartition(" ")[2] for _ in range(6)]
    assert hosts[:3] == hosts[3:], "in turn"
    assert len(set(hosts)) == 3

    def unready(obj: Json) -> None:
        for one in obj["status"]["conditions"]:
            if one["type"] == "Ready":
                one["status"] = "False"

    cluster.update("pods", *first.key, unready)
    cluster.agenda.step(0.1)
    assert first.name not in {body(get(cluster, "web")).split()[-1] for _ in range(6)}
    cluster.update("deployments.apps", "default", "web", lambda obj: obj["spec"].update(replicas=0))
    cluster.agenda.step(60)
    with pytest.raises(web.ConnectionRefused):
        get(cluster, "web")


def test_addresses_that_lead_nowhere(cluster: Cluster):
    pod = run(cluster, "web", "nginx")
    for host, port in (("10.244.99.99", 80), ("web", 81), ("192.0.2.1", 80)):
        with pytest.raises(web.TimedOut):
            get(cluster, host, port=port)
    with pytest.raises(web.ConnectionRefused):
        get(cluster, "localhost")
    assert web.answer(cluster, "localhost", 80, Request(), source=pod).status == 200


# ------------------------------------------------------------------------------------------------------- logs


def lines(cluster: Cluster, pod: Stored, tail: int | None = None) -> list[str]:
    chosen = choose(cluster.store.get("pods", *pod.key).decode(), LogOptions())  # type: ignore[union-attr]
    assert chosen is not None
    key = accesses.RunKey(pod.uid, "main", chosen.number)
    written = Written(chosen, accesses.of(cluster).lines(key))
    return [line.text for line in written.until(cluster.agenda.now(), tail)]


def test_what_was_asked_stands_in_the_log(cluster: Cluster):
    pod = run(cluster, "web", "nginx:1.29.0")
    before = lines(cluster, pod)
    get(cluster, "web", "/here?x", client="10.244.1.5")
    get(cluster, "web", method="HEAD", headers=(("X-Forwarded-For", "1.2.3.4"), ("Referer", "r")))
    when = log_date(cluster.agenda.now())
    cluster.agenda.step(0.001)
    error, *added = [one for one in lines(cluster, pod) if one not in before]
    assert '[error] 29#29: *1 open() "/usr/share/nginx/html/here" failed (2: No such file or directory)' in error
    assert added == [
        f'10.244.1.5 - - [{when}] "GET /here?x HTTP/1.1" 404 153 "-" "test/1" "-"',
        f'127.0.0.1 - - [{when}] "HEAD / HTTP/1.1" 200 0 "r" "test/1" "1.2.3.4"',
    ]
    assert lines(cluster, pod, 2) == added


def test_other_logs(cluster: Cluster):
    for name, image, more, line in (
        ("httpd", "httpd:2.4", {}, '] "GET /a HTTP/1.1" 404 '),
        ("hello", "gcr.io/google-samples/hello-app:1.0", {"target": 8080}, "Serving request: /a"),
        ("echo", "hashicorp/http-echo", {"args": ["-text=x"], "target": 5678}, '"GET /a HTTP/1.1" 200 2 "test/1"'),
        ("agn", "agnhost", {"args": ["netexec"], "target": 8080}, "log.go:245] GET /a"),
    ):  # fmt: skip
        pod = run(cluster, name, image, **more)
        get(cluster, name, "/a")
        cluster.agenda.step(0.001)
        assert any(line in one for one in lines(cluster, pod, 20)), name


def test_logs_begin_with_what_a_server_says(cluster: Cluster):
    for number, (image, more, begins) in enumerate((
        ("httpd:2.4", {}, "AH00558: httpd: Could not reliably determine"),
        ("hashicorp/http-echo", {"args": ["-listen", ":80", "-text=x"]}, "[INFO] server is listening on :80"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", {"args": ["netexec"]}, "Started HTTP server on port 8080"),
        ("gcr.io/google-samples/hello-app:1.0", {}, "Server listening on port 8080"),
        ("gcr.io/google-samples/kubernetes-bootcamp:v1", {}, "Running On:  it4-"),
        ("redis:8", {}, "Redis is starting"),
        ("caddy:2", {}, '"msg":"using config from file"'),
    )):  # fmt: skip
        pod = run(cluster, f"it{number}", image, **more)  # type: ignore[arg-type]
        assert begins in lines(cluster, pod)[0], image
    pod = run(cluster, "python", "python:3.13", command=["python", "-m", "http.server"], target=8000)
    assert lines(cluster, pod) == []
    get(cluster, "python")
    cluster.agenda.step(0.001)
    assert lines(cluster, pod)[0].endswith('] "GET / HTTP/1.1" 200 -')


def test_only_so_many_lines_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(accesses, "KEPT_LINES", 3)
    monkeypatch.setattr(accesses, "KEPT_RUNS", 2)
    kept = accesses.Accesses()
    told: list[accesses.RunKey] = []
    stop = kept.listen(told.append)
    one, two, three = (accesses.RunKey(name, "main", 0) for name in "abc")
    for at in (NOW, NOW, NOW + 1):
        kept.note(one, at, "a\nb")
    found = kept.lines(one)
    assert [text for _, text in found] == ["b", "a", "b"]
    assert [ns for ns, _ in found] == sorted({ns for ns, _ in found})
    for run_key in (two, three):
        kept.note(run_key, NOW, "x")
    assert (kept.lines(one), len(kept.lines(two))) == ([], 1)
    stop()
    kept.note(two, NOW, "x")
    assert told == [one, one, one, two, three]


def test_json_of_a_service(cluster: Cluster):
    pod = run(cluster, "api", "ghcr.io/example/api:4.2.1", target=8080)
    found = get(cluster, "api")
    assert msgspec.json.decode(found.body)["pod"] == pod.name
    assert get(cluster, "api", "/healthz").media == PLAIN
    assert get(cluster, "api", "/v1/items", method="POST").status == 201
    assert get(cluster, "api", "/nope").status == 404
