"""Requests of people who want more than they may, or want the process to themselves; each is answered, and at once."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import threading
from typing import Any

import aiohttp
import pytest
from yarl import URL

from notebook_mux import yamls
from notebook_mux.playground.access import Access, User
from notebook_mux.playground.accounts.signing import BadToken, Signer, encode
from notebook_mux.playground.apply.json_patch import json_patch
from notebook_mux.playground.crds.cel import CelError, SyntaxProblem, evaluate, parse
from notebook_mux.playground.crds.checks import check
from notebook_mux.playground.paths import NotServed, parse as parse_path
from notebook_mux.playground.portforward import frames
from notebook_mux.playground.portforward.headers import Compressor
from notebook_mux.playground.portforward.tunnel import MAX_EARLY, Tunnel
from notebook_mux.playground.rbac.objects import Escalation
from notebook_mux.playground.rbac.people import grant
from notebook_mux.playground.rbac.resolver import CLUSTER_ROLES, Resolver
from notebook_mux.playground.rbac.rules import PolicyRule, not_covered
from notebook_mux.playground.regexes import RegexFault, pattern_of
from notebook_mux.playground.schemas.fields import doubled_keys
from notebook_mux.playground.server import Playground
from notebook_mux.playground.shell.commands.editing import LINE_LIMIT
from notebook_mux.playground.status import ApiError
from notebook_mux.playground.web.nginx_config import location, parse as parse_nginx
from notebook_mux.playground.web.redis import KEPT_BYTES, Connection, Database
from notebook_mux.yamls import TooMuch, check as check_yaml
from tests.unit.playground import shells
from tests.unit.playground.test_portforward import Pod, data, open_pair, said
from tests.unit.playground.worlds import bare

Json = dict[str, Any]
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
COSTLY = r"too costly"


class Asking:
    """Sends requests as they are written, without a client that would clean their paths."""

    def __init__(self, playground: Playground, session: aiohttp.ClientSession, token: str):
        self._playground, self._session, self._token = playground, session, token

    async def __call__(
        self, method: str, path: str, body: Any = None, media: str = "application/json"
    ) -> tuple[int, str]:
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", **({"Content-Type": media} if sent is not None else {})}
        url = URL(self._playground.url + path, encoded=True)
        async with self._session.request(method, url, headers=headers, data=sent) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def served():
    """A playground, and how its administrator and somebody who may look around ask it."""
    async with Playground("empty") as playground:
        token = playground.first.enrol("eve", role="view").token
        context = ssl.create_default_context(cadata=playground.authority.decode())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            yield Asking(playground, session, playground.token), Asking(playground, session, token)


# --------------------------------------------------------------------------------------------- wanting more


async def test_what_is_served_is_what_was_authorized(served: tuple[Asking, Asking]):
    admin, eve = served
    secret = {"metadata": {"name": "hidden"}, "stringData": {"a": "b"}}
    assert (await admin("POST", "/api/v1/namespaces/eve/secrets", secret))[0] == 201
    for path in ("/apis//v1/secrets", "/apis//v1/pods", "/apis//v1/secrets?watch=1&timeoutSeconds=1"):
        assert (await eve("GET", path))[0] == 404, path
    one = {"metadata": {"name": "mine"}}
    maps = "/api/v1/watch/namespaces/eve/configmaps"
    assert (await eve("POST", maps, one))[0] == 405
    assert (await eve("DELETE", maps))[0] == 405
    assert (await eve("PATCH", f"{maps}/kube-root-ca.crt", {"data": {}}, MERGE))[0] == 405
    assert (await eve("DELETE", f"{maps}/kube-root-ca.crt"))[0] == 405
    assert (await eve("GET", f"{maps}?timeoutSeconds=0"))[0] == 200, "which is what it is for"
    assert (await admin("GET", "/api/v1/namespaces/eve/configmaps/kube-root-ca.crt"))[0] == 200
    assert (await admin("PROPFIND", "/api/v1/pods"))[0] == 405


async def test_who_may_patch_may_not_create(served: tuple[Asking, Asking]):
    admin, eve = served
    rule = {"verbs": ["get", "patch"], "apiGroups": [""], "resources": ["configmaps"]}
    at = "/apis/rbac.authorization.k8s.io/v1/namespaces/eve"
    assert (await admin("POST", f"{at}/roles", {"metadata": {"name": "patcher"}, "rules": [rule]}))[0] == 201
    bound = {"metadata": {"name": "patcher"}, "roleRef": {"kind": "Role", "name": "patcher"},
             "subjects": [{"kind": "User", "name": "eve"}]}  # fmt: skip
    assert (await admin("POST", f"{at}/rolebindings", bound))[0] == 201
    path = "/api/v1/namespaces/eve/configmaps/{}?fieldManager=eve&force=true"
    one = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}
    status, text = await eve("PATCH", path.format("fresh"), {**one, "metadata": {"name": "fresh"}}, APPLY)
    assert status == 403
    assert 'cannot create resource \\"configmaps\\"' in text
    old = {**one, "metadata": {"name": "kube-root-ca.crt"}}
    assert (await eve("PATCH", path.format("kube-root-ca.crt"), old, APPLY))[0] == 200


def test_a_group_without_a_name():
    kinds = bare().kinds
    with pytest.raises(NotServed):
        parse_path("/apis//v1/secrets", kinds)


def test_a_role_that_gathers_others_needs_everything():
    cluster = bare()
    resolver = Resolver(cluster)
    access = Access({}, resolver)
    rules = Escalation(access, resolver)
    kind = cluster.kinds.of(CLUSTER_ROLES)
    role: Json = {"metadata": {"name": "mine"}, "rules": []}
    gathers = {**role, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
    eve = User("eve", ())
    rules.check(kind, role, None, eve)
    for new, old in ((gathers, None), (gathers, role), (role, gathers)):
        with pytest.raises(ApiError, match="must have cluster-admin privileges to use the aggregationRule"):
            rules.check(kind, new, old, eve)
    role_of = {"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "all"},
               "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
                         {"verbs": ["*"], "nonResourceURLs": ["*"]}]}  # fmt: skip
    cluster.create(role_of)
    grant(cluster, "eve", "all")
    rules.check(kind, gathers, None, eve)


def test_a_rule_of_many_atoms_is_looked_at_as_a_whole():
    many = [str(number) for number in range(300)]
    wanted = PolicyRule(tuple(many), tuple(many), tuple(many))
    assert wanted.size == 27_000_000
    assert not_covered([PolicyRule(("1",), ("1",), ("1",))], [wanted]) == [wanted]
    assert not_covered([PolicyRule(("*",), ("*",), ("*",))], [wanted]) == []
    few = PolicyRule(("get", "list"), ("",), ("pods",))
    assert few.size == len(list(few.atoms()))


# ------------------------------------------------------------------------------------- what cannot be read

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9)) for letter in range(98, 108)
)
BODIES: list[tuple[str, str, Any, str]] = [
    ("POST", "configmaps", b'{"a":' * 20_000, "application/json"),
    ("POST", "configmaps", BOMB, "application/yaml"),
    ("POST", "configmaps", b"a: &a [*a]", "application/yaml"),
    ("POST", "configmaps", b"\n" * 200_000 + b"- " * 20_000 + b"x", "application/yaml"),
    ("POST", "configmaps", {"metadata": {"name": "\ud800"}}, "application/json"),
    ("POST", "configmaps", b'metadata: {name: "\\ud800"}', "application/yaml"),
    ("PATCH", "configmaps/kube-root-ca.crt", b"[" * 20_000, "application/json-patch+json"),
    ("PATCH", "configmaps/kube-root-ca.crt?fieldManager=m", BOMB, APPLY),
    ("PATCH", "configmaps/kube-root-ca.crt", {"metadata": {"managedFields": [1]}}, MERGE),
    ("DELETE", "configmaps/kube-root-ca.crt", {"preconditions": 3}, "application/json"),
    (
        "PATCH",
        "configmaps/kube-root-ca.crt?fieldManager=m",
        {"metadata": {"managedFields": [{"manager": [], "operation": "Update", "time": {}}]}},
        MERGE,
    ),
    ("DELETE", "configmaps/kube-root-ca.crt", {"gracePeriodSeconds": "x"}, "application/json"),
    ("POST", "serviceaccounts/default/token", b"null", "application/json"),
    ("POST", "serviceaccounts/default/token", {"spec": {"expirationSeconds": "x"}}, "application/json"),
    ("GET", "pods?resourceVersion=" + "9" * 5000, None, ""),
    ("GET", "pods/x:" + "9" * 5000 + "/proxy/", None, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "media"), BODIES)
async def test_bodies_that_nobody_can_use(
    served: tuple[Asking, Asking], caplog: pytest.LogCaptureFixture, method: str, path: str, body: Any, media: str
):
    """They are refused with a Status, and no fault of ours stands in the log."""
    admin, _ = served
    with caplog.at_level(logging.ERROR):
        status, text = await admin(method, f"/api/v1/namespaces/eve/{path}", body, media)
    assert 400 <= status < 500 or (status in (200, 503) and "99999" in path), text
    assert json.loads(text)["kind"] in ("Status", "PodList")
    assert not caplog.records


async def test_nodes_always_have_a_spec(served: tuple[Asking, Asking], caplog: pytest.LogCaptureFixture):
    """Controllers look into it."""
    admin, _ = served
    assert (await admin("POST", "/api/v1/nodes", {"metadata": {"name": "empty"}}))[0] == 201
    status, text = await admin("PATCH", "/api/v1/nodes/empty", {"spec": None}, MERGE)
    assert status == 200
    assert json.loads(text)["spec"] is not None
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_aliases_are_counted_before_they_are_followed():
    check_yaml(b"a: &a {b: c}\nd: [*a, *a]\ne: '&x *x'")
    for text, why in ((BOMB, "excessive aliasing"), (b"a: &a [*a]", "'a' value contains itself")):
        with pytest.raises(TooMuch, match=why):
            check_yaml(text)
    assert doubled_keys(b"\n" * 500_000) == []


def test_tokens_that_are_deep():
    with pytest.raises(BadToken):
        Signer().verify(f"{encode(b'[' * 6000)}.e30.e30")


# ------------------------------------------------------------------------------------ the process to oneself


def test_copies_do_not_grow_for_ever():
    copies = [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(64)]
    with pytest.raises(ApiError) as failed:
        json_patch({"a": {"b": "c"}}, copies)
    assert failed.value.code == 422
    assert json_patch({"a": {"b": "c"}}, copies[:2])["a"]["1"] == {"b": "c", "0": {"b": "c"}}


EVIL = "^(([a-z])+.)+[A-Z]([a-z])+$"


def test_patterns_of_schemas_rules_and_servers_end():
    text = "a" * 20_000
    found = check({"a": text}, {"type": "object", "properties": {"a": {"type": "string", "pattern": EVIL}}})
    assert [one["field"] for one in found] == ["a"]
    many = {"type": "array", "items": {"type": "string", "pattern": EVIL}}
    assert len(check([text] * 50, many)) == 50
    with pytest.raises(CelError, match=COSTLY):
        evaluate(parse(f'self.matches("{EVIL}")'), {"self": text})
    with pytest.raises(CelError, match="cost limit"):
        evaluate(parse('self.all(x, !x.matches("^(a|b)*c$"))'), {"self": ["ab" * 5000] * 200})
    server = parse_nginx(f'server {{ location / {{ return 200; }} location ~ "{EVIL}" {{ return 404; }} }}')[0]
    assert location(server, f"/{text}").args == ("/",)
    assert location(parse_nginx("server { location ~* \\.(PNG|jpg)$ { } }")[0], "/a.png").args == (
        "~*",
        "\\.(PNG|jpg)$",
    )


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", ["a", "a-b", "7"], ["", "-", "a-", "A", "a\n"]),
        (r"^(?:\d{1,3}\.){3}\d{1,3}$", ["1.22.333.4"], ["1.2.3", "1.2.3.x", "١.1.1.1"]),
        (r"(?i)^(?P<size>small|large)$", ["Small", "LARGE"], ["medium"]),
        (r"\bfoo\b", ["a foo b"], ["food"]),
        (r"^[^/\s]+/.*$", ["a/b", "a/"], ["/b", "a b/c"]),
        (r"a{2,3}?b\z", ["aab", "xaaab"], ["ab", "aabb"]),
        (r"\.$", ["a."], ["a.\n", "a"]),
        ("", ["", "x"], []),
    ],
)
def test_patterns(pattern: str, fits: list[str], fails: list[str]):
    assert [one for one in fits if pattern_of(pattern).search(one) is None] == []
    assert [one for one in fails if pattern_of(pattern).search(one) is not None] == []


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "(?<!a)b", "a{1000}{1000}", "(?>a)"])
def test_what_re2_refuses(pattern: str):
    with pytest.raises(re.error):
        pattern_of(pattern)


def test_searches_are_counted_together():
    """However often one text is searched, as for all matches in it."""
    regex, text = pattern_of("a|a.*z"), "a" * 10_000
    with pytest.raises(RegexFault):
        all(regex.search(text, at) for at in range(len(text)))


@pytest.mark.parametrize(
    "text",
    ['"a".find("(")', "math.ceil(1.0/0.0)", 'duration("99999999999999999999h")', "{[1]:2}",
     'timestamp("2020-01-01T00:00:00Z").getHours("America")', '"a"' + '.replace("", "bbbbbbbbbb")' * 9],
)  # fmt: skip
def test_expressions_that_went_wrong_within(text: str):
    with pytest.raises(CelError):
        evaluate(parse(text), {})


def test_a_number_that_is_too_large():
    with pytest.raises(SyntaxProblem, match="invalid int literal"):
        parse("0xffffffffffffffffffff")


async def test_long_lines_are_edited_or_refused():
    place = shells.container(shells.with_pods())
    ended = await shells.run(place, "sed s/a/b/g | wc -c", stdin=b"a" * 60_000 + b"\n")
    assert (ended.code, ended.out) == (0, "60001\n")
    ended = await shells.run(place, "sed -E 's/(a|a.*z)/b/g'", stdin=b"a" * 60_000 + b"\n")
    assert ended.code == 2
    assert re.search(COSTLY, ended.err)
    ended = await shells.run(place, "base64 -w 1 | wc -l", stdin=b"x" * 30_000)
    assert ended.out == "40000\n"
    assert LINE_LIMIT > 60_000


def test_a_redis_has_an_end():
    connection = Connection(Database(lambda: 0.0))
    value = b"x" * 400_000
    set_ = b"*3\r\n$3\r\nSET\r\n$2\r\n%02d\r\n$400000\r\n" + value + b"\r\n"
    replies = [connection.receive(set_ % number) for number in range(KEPT_BYTES // len(value) + 2)]
    assert replies[0] == b"+OK\r\n"
    assert replies[-1].startswith(b"-OOM ")
    assert connection.receive(b"SET 00 y\r\nAPPEND 99 z\r\n") == b"+OK\r\n:1\r\n", "what has gone makes room"
    assert connection.receive(b"EXPIRE 00 " + b"9" * 400 + b"\r\n").startswith(b"-ERR value is not an integer")


def test_streams_without_their_pair_keep_nothing():
    pod = Pod()
    tunnel, write = Tunnel(pod.dial), Compressor()
    only_data = {"streamtype": "data", "port": "80", "requestid": "1"}
    tunnel.receive(frames.encode(frames.syn_stream(1, write.block(only_data))))
    tunnel.to_send()
    for _ in range(MAX_EARLY // 32_768 + 1):
        tunnel.receive(data(1, b"x" * 32_768))
    assert said(tunnel) == [(frames.RST_STREAM, 1, b"", 0)]
    assert not tunnel._pairs
    for number in range(3, 203, 2):
        only_error = {"streamtype": "error", "port": "80", "requestid": str(number)}
        tunnel.receive(frames.encode(frames.syn_stream(number, write.block(only_error))))
        tunnel.receive(frames.encode(frames.reset(number, frames.CANCEL)))
    assert not tunnel._pairs
    open_pair(tunnel, write, 301)
    assert len(tunnel._pairs) == 1


async def test_others_are_answered_while_a_long_body_is_read(served: tuple[Asking, Asking], monkeypatch: Any):
    admin, _ = served
    answered, order = threading.Event(), list[str]()
    real = yamls.load

    def slow(*arguments: Any) -> Any:
        order.append("begun")
        assert answered.wait(shells.WAIT_S), "nothing was answered meanwhile"
        return real(*arguments)

    monkeypatch.setattr(yamls, "load", slow)
    text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: long}\ndata:\n"
    text += "".join(f"  k{number}: a value of some length\n" for number in range(3000))

    async def long() -> int:
        status, _ = await admin("POST", "/api/v1/namespaces/eve/configmaps", text.encode(), "application/yaml")
        order.append("long")
        return status

    writing = asyncio.ensure_future(long())
    async with asyncio.timeout(shells.WAIT_S):
        while not order:
            await asyncio.sleep(0.01)
        assert (await admin("GET", "/api/v1/namespaces/eve"))[0] == 200
        order.append("short")
        answered.set()
        assert await writing == 201
    assert order == ["begun", "short", "long"]
    applied = text.replace("name: long", "name: other") + "  k1: again\n"
    path = "/api/v1/namespaces/eve/configmaps/other?fieldManager=me"
    for validation, status in (("Strict", 400), ("Warn", 201)):
        found = await admin("PATCH", f"{path}&fieldValidation={validation}", applied.encode(), APPLY)
        assert found[0] == status
        assert ('key \\"k1\\" already set in map' in found[1]) == (status == 400)
