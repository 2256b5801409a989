# ruff: noqa: E501 - a script is one line, as it is typed
"""The emulation's programs, on what they would have around them in a pod."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from notebook_mux.playground.shell.builtins import BUILTINS
from notebook_mux.playground.shell.commands import names, registry
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.execution import NotStarted
from notebook_mux.playground.shell.worlds import NotRunning
from notebook_mux.playground.stories.commands import SHELLS
from tests.unit.playground import shells
from tests.unit.playground.shells import execute, pod, run
from tests.unit.playground.worlds import config_map

FULL: dict[str, Any] = {
    "env": [
        {"name": "PLAIN", "value": "of $(POD) and $$(POD)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LATER", "value": "$(POD)"},
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ],
    "envFrom": [{"secretRef": {"name": "secret"}, "prefix": "S_"}],
    "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
    "volumeMounts": [
        {"name": "settings", "mountPath": "/etc/settings"},
        {"name": "secret", "mountPath": "/etc/secret"},
        {"name": "shared", "mountPath": "/shared"},
        {"name": "settings", "mountPath": "/one.conf", "subPath": "a"},
    ],
}
VOLUMES = [
    {"name": "settings", "configMap": {"name": "settings"}},
    {"name": "secret", "secret": {"secretName": "secret", "defaultMode": 0o400}},
    {"name": "shared", "emptyDir": {}},
]


@pytest.fixture(scope="module")
def places() -> dict[str, Container]:
    cluster = shells.with_pods()
    cluster.create(config_map("settings", a="1\n", b="two"))
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "secret", "namespace": "default"},
              "data": {"key": base64.b64encode(b"s3cret").decode()}}  # fmt: skip
    shells.create(cluster, secret)
    full = pod("full", more={"volumes": VOLUMES}, **FULL)
    full["spec"]["containers"].append({"name": "side", "image": "alpine:3", "command": ["sleep", "infinity"],
                                       "volumeMounts": [{"name": "shared", "mountPath": "/data"}],
                                       "securityContext": {"runAsUser": 1000, "readOnlyRootFilesystem": True}})  # fmt: skip
    shells.create(cluster, full)
    web = pod("web", "nginx:1.29.1")
    del web["spec"]["containers"][0]["command"]
    web["metadata"]["labels"] = {"app": "web"}
    shells.create(cluster, web)
    shells.create(cluster, {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"},
                            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})  # fmt: skip
    cluster.agenda.step(40)
    return {"full": shells.container(cluster, "full"), "side": shells.container(cluster, "full", "side"),
            "web": shells.container(cluster, "web")}  # fmt: skip


OUTPUTS: list[tuple[str, str, str]] = [
    ("full", "echo $PLAIN; echo $POD $LATER $KEY $LIMIT $S_key $KUBERNETES_SERVICE_HOST $HOSTNAME", "of $(POD) and $(POD)\nfull full 1 64 s3cret 10.96.0.1 full\n"),
    ("full", "cat /etc/settings/a /etc/secret/key /one.conf; ls /etc/settings; ls -A /etc/secret | wc -l", "1\ns3cret1\na\nb\n3\n"),
    ("full", "echo x > /etc/settings/a; touch /etc/settings/c; rm /etc/settings/a; stat -Lc %a /etc/secret/key", "400\n"),
    ("full", "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max; cat /proc/1/comm; tr '\\0' ' ' < /proc/1/cmdline", "67108864\n50000 100000\nsleep\nsleep infinity "),
    ("full", "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; cut -d. -f2 /var/run/secrets/kubernetes.io/serviceaccount/token | grep -c .", "default1\n"),
    ("full", "grep nameserver /etc/resolv.conf | wc -l; tail -n 1 /etc/hosts | cut -f2; hostname; whoami; pwd", "1\nfull\nfull\nroot\n/\n"),
    ("side", "id; touch /x; touch /data/from-side && ls -l /data | tail -n 1 | cut -c1-22; cat /etc/secret/key", "uid=1000 gid=0(root) groups=0(root)\n-rw-r--r--    1 1000  \n"),
    ("full", "ls /shared; df /shared | tail -n 1 | tr -s ' ' | cut -d' ' -f6", "from-side\n/shared\n"),
    ("full", "printf 'b 2\\na 10\\nc 1\\na 10\\n' > /tmp/t; sort /tmp/t | uniq -c | tr -s ' '; sort -k2 -n -r /tmp/t | head -1; wc -l < /tmp/t; sort -u /tmp/t | tail -1", " 2 a 10\n 1 b 2\n 1 c 1\na 10\n4\nc 1\n"),
    ("full", "echo 'one two' | sed -E 's/(o)n(e)/\\2\\1/; s/$/!/'; printf '1\\n2\\n3\\n' | sed -n '2p;$='; printf 'a\\nb\\n' > /tmp/s; sed -i '1d;s/b/c/' /tmp/s; cat /tmp/s", "eo two!\n2\n3\nc\n"),
    ("full", "printf 'Foo\\nbar\\nfoo bar\\n' > /tmp/g; grep -in foo /tmp/g; grep -c bar /tmp/g; grep -v o /tmp/g; grep -w bar -m1 /tmp/g; grep -rl Foo /tmp | head -1; echo a.b | grep -F .", "1:Foo\n3:foo bar\n2\nbar\nbar\n/tmp/g\na.b\n"),
    ("full", "mkdir -p /w/x/y; echo 1 > /w/x/y/f.txt; cp -r /w/x /w/z; mv /w/z/y/f.txt /w/g; find /w -type f | sort; find /w -name 'y' -type d | wc -l; rm -r /w; ls -d /w 2>&1", "/w/g\n/w/x/y/f.txt\n2\nls: /w: No such file or directory\n"),
    ("full", "cd /tmp; echo data > f; tar czf a.tgz f; rm f; tar xzf a.tgz; cat f; tar tf a.tgz; tar cf - f | (mkdir -p o; tar xf - -C o); cat o/f", "data\nf\ndata\n"),
    ("full", "echo hi | tee /tmp/a | base64; base64 -d <<< aGkK; echo -n x | sha256sum | cut -c1-8; seq -s, 3; echo abc | rev; expr 2 + 3; echo a,b,c | cut -d, -f2-; echo aabb | tr -s a-b; printf 'x\\ny\\n' | tac", "aGkK\nhi\n2d711642\n1,2,3\ncba\n5\nb,c\nab\ny\nx\n"),
    ("full", "chmod 600 /tmp/a; ls -l /tmp/a | cut -c1-10; chmod u+x,g+r /tmp/a; stat -c %a /tmp/a; ln -s /tmp/a /tmp/l; readlink /tmp/l; realpath /tmp/l; basename /a/b.c .c; dirname /a/b", "-rw-------\n740\n/tmp/a\n/tmp/a\nb\n/a\n"),
    ("full", "ls -l /bin/ls /nope 2>&1 | tail -1 | cut -c1-4; uname -sn; arch; nproc; date -u -d @0 +%F; which cat nope; env -i A=1 env", "-rwx\nLinux full\nx86_64\n8\n1970-01-01\n/bin/cat\nA=1\n"),
    ("full", "sleep 99 & ps | grep -c 'sleep 99$'; pgrep -f 'sleep 99' > /dev/null && killall sleep; wait; ps | grep -c 'sleep 99$'", "1\n0\n"),
    ("full", "nslookup web | tail -n 3 | head -1; wget -qO- http://web | grep -o '<title>.*</title>'; wget -q --spider http://web/none 2>&1; wget -qO- http://nope 2>&1; nc -zv web 80 2>&1 | grep -o open", "Name:\tweb.default.svc.cluster.local\n<title>Welcome to nginx!</title>\nwget: server returned error: HTTP/1.1 404 Not Found\nwget: bad address 'nope'\nopen\n"),
    ("web", "curl -s -o /dev/null -w '%{http_code}\\n' http://web; curl -sI localhost | head -1 | tr -d '\\r'; curl -s http://none; echo $?; curl -s localhost:81; echo $?", "200\nHTTP/1.1 200 OK\n6\n7\n"),
    ("web", "echo changed > /usr/share/nginx/html/index.html; curl -s http://web.default.svc; cat /etc/nginx/conf.d/default.conf | grep -c listen; echo $NGINX_VERSION; ps aux | grep -c '[n]ginx: master'", "changed\n1\n1.29.1\n1\n"),
    ("full", "vi; echo $?; awk; help | head -1", "1\nThis is an emulation of a shell in notebook_mux's playground, not a real container.\n"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "script", "out"), OUTPUTS)
async def test_what_programs_write(places: dict[str, Container], where: str, script: str, out: str):
    ended = await run(places[where], script)
    assert ended.out == out, ended.err


FAULTS: list[tuple[str, str, int]] = [
    ("cat /nope", "cat: can't open '/nope': No such file or directory\n", 1),
    ("ls /nope", "ls: /nope: No such file or directory\n", 1),
    ("rm /nope", "rm: can't remove '/nope': No such file or directory\n", 1),
    ("rm /etc", "rm: can't remove '/etc': Is a directory\n", 1),
    ("mkdir /etc", "mkdir: can't create directory '/etc': File exists\n", 1),
    ("cp /nope /tmp", "cp: can't stat '/nope': No such file or directory\n", 1),
    ("sleep x", "sleep: invalid number 'x'\n", 1),
    ("grep '(' -E /etc/hosts", "grep: Unmatched ( or \\(\n", 2),
    ("kill 9999", "sh: kill: can't kill pid 9999: No such process\n", 1),
    ("head -c x /etc/hosts", "head: invalid number 'x'\n", 1),
    ("timeout 0.01 sleep 9", "", 143),
]


@pytest.mark.parametrize(("script", "err", "code"), FAULTS)
async def test_what_programs_say_of_faults(places: dict[str, Container], script: str, err: str, code: int):
    ended = await run(places["full"], script)
    assert (ended.err, ended.code) == (err, code)


def test_the_names_are_all_there_are():
    assert frozenset(registry.COMMANDS) == names.NAMES
    assert frozenset(BUILTINS) == names.BUILTIN_NAMES
    assert {"sh", "bash", "ash"} <= SHELLS & names.NAMES


async def test_files_live_as_long_as_their_run_and_volumes_as_their_pod(places: dict[str, Container]):
    cluster = shells.with_pods(pod("short", more={"volumes": [{"name": "v", "emptyDir": {}}]},
                                   volumeMounts=[{"name": "v", "mountPath": "/v"}]))  # fmt: skip
    first = shells.container(cluster, "short")
    await run(first, "echo gone > /tmp/f; echo kept > /v/f")
    assert shells.container(cluster, "short") is first
    first.worlds.has_ended(first, 1)
    assert first.over.is_set()
    with pytest.raises(NotRunning):
        shells.container(cluster, "short")
    cluster.agenda.step(30)
    second = shells.container(cluster, "short")
    assert second is not first
    ended = await run(second, "cat /v/f /tmp/f")
    assert (ended.out, ended.code) == ("kept\n", 1)


async def test_a_signal_to_the_first_process_ends_a_server_and_no_shell(places: dict[str, Container]):
    cluster = shells.with_pods(pod("server", "ghcr.io/example/server:1", command=["/server"]), pod("loop"))
    server, loop = shells.container(cluster, "server"), shells.container(cluster, "loop")
    for number in ("-9", "-TERM", "-INT"):
        assert (await run(loop, f"kill {number} 1; echo on")).out == "on\n"
    await run(server, "kill -9 1")
    cluster.agenda.step(1)
    assert not server.over.is_set(), "a first process hears only what it listens to"
    assert not loop.over.is_set()
    await run(server, "kill 1")
    cluster.agenda.step(0.5)
    assert server.over.is_set()
    state = cluster.get("pods", "default", "server")["status"]["containerStatuses"][0]["state"]  # type: ignore[index]
    assert state["terminated"]["exitCode"] == 143


async def test_an_image_without_a_shell_has_none(places: dict[str, Container]):
    cluster = shells.with_pods(pod("bare", "registry.k8s.io/pause:3.10"))
    with pytest.raises(NotStarted, match=r'exec: "sh": executable file not found in \$PATH'):
        await execute(shells.container(cluster, "bare"), "sh")
