"""Certificate signing requests on both sides: who may, what cannot be, and that the certificate is good for something.

Beside them the smallest kinds that nobody else has a test for: component statuses, and the finalizers of a namespace.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.controlplane.places import Place
from tests.controlplane.sides import Json, config_map
from tests.unit.playground.client import MERGE, Answer, Client
from tests.waiting import eventually

GROUP = "/apis/certificates.k8s.io/v1"
CSRS = f"{GROUP}/certificatesigningrequests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLIENT = "kubernetes.io/kube-apiserver-client"
PEM = serialization.Encoding.PEM

Ask = Callable[..., Answer]


class Requests:
    """Requests of a test, which end with it."""

    def __init__(self, side: Client):
        self.side, self.key = side, ec.generate_private_key(ec.SECP256R1())
        self._made: list[str] = []

    def make(self, name: str, *, signer: str = CLIENT, group: str = "dev", by: str = "", **spec: Any) -> Answer:
        self._made.append(name)
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, group),
                             x509.NameAttribute(NameOID.COMMON_NAME, name)])  # fmt: skip
        request = x509.CertificateSigningRequestBuilder(subject).sign(self.key, hashes.SHA256()).public_bytes(PEM)
        body = {"metadata": {"name": name}, "spec": {"request": base64.b64encode(request).decode(),
                "signerName": signer, "usages": ["client auth"], **spec}}  # fmt: skip
        headers = {"Impersonate-User": by} if by else {}
        return self.side.ask("POST", CSRS, body, headers=headers)

    def get(self, name: str) -> Json:
        found: Json = self.side.get(f"{CSRS}/{name}").json()
        return found

    def change(self, name: str, path: str, by: str = "", **status: Any) -> Answer:
        headers = {"Impersonate-User": by} if by else {}
        return self.side.ask("PATCH", f"{CSRS}/{name}{path}", {"status": status}, media=MERGE, headers=headers)

    def approve(self, name: str, by: str = "", kind: str = "Approved") -> Answer:
        return self.change(name, "/approval", by, conditions=[{"type": kind, "status": "True", "reason": "Test"}])

    def failed(self, name: str) -> Callable[[], bool]:
        """What tells whether a request has another condition than its approval."""
        return lambda: len(self.get(name)["status"]["conditions"]) > 1

    def end(self) -> None:
        for name in self._made:
            self.side.ask("DELETE", f"{CSRS}/{name}")


@pytest.fixture
def requests(side: Client) -> Iterator[Requests]:
    found = Requests(side)
    yield found
    found.end()


def test_a_certificate_is_good_for_a_client(here: Place, requests: Requests, tmp_path: Path):
    made = requests.make("lab-user", expirationSeconds=86400, username="somebody", groups=["system:masters"])
    assert made.status == 201, made.body
    spec = made.json()["spec"]
    assert "system:masters" in spec["groups"]  # who asks, not who is said to
    assert spec["username"] != "somebody"
    row = here.kubectl("get", "csr", "lab-user", "--no-headers").split()
    assert [row[0], *row[2:]] == ["lab-user", CLIENT, spec["username"], "24h", "Pending"]
    assert here.kubectl("certificate", "approve", "lab-user") == (
        "certificatesigningrequest.certificates.k8s.io/lab-user approved\n"
    )
    eventually(lambda: requests.get("lab-user")["status"].get("certificate"), seconds=60)
    assert here.kubectl("get", "csr", "lab-user", "--no-headers").split()[-1] == "Approved,Issued"
    status = requests.get("lab-user")["status"]
    (said,) = status["conditions"]
    assert (said["type"], said["reason"], said["message"]) == (
        "Approved", "KubectlApprove", "This CSR was approved by kubectl certificate approve.")  # fmt: skip
    pem = base64.b64decode(status["certificate"])
    certificate = x509.load_pem_x509_certificate(pem)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert life.total_seconds() == 86400
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    client = _with_certificate(here, pem, requests.key, tmp_path)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    who = client.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review).json()["status"]["userInfo"]
    assert (who["username"], who["groups"]) == ("lab-user", ["dev", "system:authenticated"])
    assert who["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")
    refused = client.get(here.of("pods"))
    assert (refused.status, refused.json()["message"]) == (
        403, (f'pods is forbidden: User "lab-user" cannot list resource "pods" in API group "" in the namespace '
              f'"{here.name}"'))  # fmt: skip
    bound = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
             "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "dev"}],
             "metadata": {"name": "dev"}}  # fmt: skip
    here.side.ask("POST", here.of("rolebindings", group="rbac.authorization.k8s.io/v1"), bound)
    eventually(lambda: client.get(here.of("pods")).status == 200, seconds=60)


def _with_certificate(here: Place, pem: bytes, key: ec.EllipticCurvePrivateKey, folder: Path) -> Client:
    config = yaml.safe_load(here.kubectl("config", "view", "--raw", "--flatten", "--minify"))
    (folder / "client.crt").write_bytes(pem)
    plain = serialization.NoEncryption()
    (folder / "client.key").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain))
    user = {"client-certificate": str(folder / "client.crt"), "client-key": str(folder / "client.key")}
    (folder / "config").write_text(yaml.safe_dump({**config, "users": [{**config["users"][0], "user": user}]}))
    return Client(folder / "config")


def test_what_requests_cannot_be_and_who_may_not(requests: Requests):
    side = requests.side
    bad = requests.make("bad", signer="bad", request="YWJj", usages=[], expirationSeconds=5).json()
    assert [(one["field"], one["message"].partition(":")[0]) for one in bad["details"]["causes"]] == [
        ("spec.request", "Invalid value"), ("spec.usages", "Required value"), ("spec.signerName", "Invalid value"),
        ("spec.expirationSeconds", "Invalid value"),
    ]  # fmt: skip
    more = requests.make(
        "bad", signer="kubernetes.io/legacy-unknown", usages=["x", "client auth", "client auth"]
    ).json()
    assert [(one["field"], one["message"].partition(":")[0]) for one in more["details"]["causes"]] == [
        ("spec.usages[0]", "Unsupported value"), ("spec.usages[2]", "Duplicate value"),
        ("spec.signerName", "Invalid value"),
    ]  # fmt: skip
    boss = requests.make("boss", group="system:masters")
    assert boss.json()["message"] == (
        'certificatesigningrequests.certificates.k8s.io "boss" is forbidden: use of '
        f"{CLIENT} signer with system:masters group is not allowed"
    )
    with _allowed(side, "bob", ["certificatesigningrequests", "certificatesigningrequests/approval",
                                "certificatesigningrequests/status"], ["create", "patch"]):  # fmt: skip
        eventually(lambda: requests.make("theirs", by="bob").status in (201, 409), seconds=60)
        assert requests.get("theirs")["spec"]["username"] == "bob"
        begin = 'certificatesigningrequests.certificates.k8s.io "theirs" is forbidden: user not permitted to'
        refused = requests.approve("theirs", by="bob")
        assert (refused.status, refused.json()["message"]) == (
            403, f'{begin} approve requests with signerName "{CLIENT}"')  # fmt: skip
        signed = requests.change("theirs", "/status", by="bob", certificate=_certificate(requests.key))
        assert signed.json()["message"] == f'{begin} sign requests with signerName "{CLIENT}"'
        with _allowed(side, "bob", ["signers"], ["approve"], "kubernetes.io/*"):
            eventually(lambda: requests.approve("theirs", by="bob").status == 200, seconds=60)
    eventually(lambda: requests.get("theirs")["status"].get("certificate"), seconds=60)


def test_conditions_and_signers_of_requests(requests: Requests):
    assert requests.make("one").status == 201
    for status, path, said in (
        ({"conditions": [{"type": "Approved", "status": "False"}]}, "/approval",
         'status.conditions[0].status: Unsupported value: "False": supported values: "True"'),
        ({"conditions": [{"type": "Approved", "status": "True"}, {"type": "Denied", "status": "True"}]}, "/approval",
         ('status.conditions: Invalid value: "{conditions[{\\"type\\": \\"Approved\\"}], '
         'conditions[{\\"type\\": \\"Denied\\"}]}": must specify at most one of: `conditions[{"type": "Approved"}]`, '
         '`conditions[{"type": "Denied"}]`')),
        ({"conditions": [{"type": "Denied", "status": "True"}] * 2}, "/approval",
         'status.conditions[1].type: Duplicate value: "Denied"'),
        ({"conditions": [{"type": "Approved", "status": "True"}]}, "/status",
         'status.conditions: Forbidden: updates may not add a condition of type "Approved"'),
        ({"certificate": "YWJj"}, "/status",
         'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block'),
    ):  # fmt: skip
        answer = requests.change("one", path, **status)
        assert answer.status == 422, (status, answer.body)
        assert answer.json()["message"] == f'CertificateSigningRequest.certificates.k8s.io "one" is invalid: {said}'
    for path in ("", "/approval"):  # neither can give a certificate
        answer = requests.change("one", path, certificate=_certificate(requests.key))
        assert (answer.status, answer.json()["status"]) == (200, {}), path
    denied = requests.approve("one", kind="Denied").json()["status"]["conditions"][0]
    assert denied["lastUpdateTime"] == denied["lastTransitionTime"] != ""
    for name, more, said in (
        ("serving", {"usages": ["server auth"]}, "invalid usage for client certificate: server auth"),
        ("node", {"signer": f"{CLIENT}-kubelet"}, "subject organization is not system:nodes"),
        ("foreign", {"signer": "example.com/x"}, ""),
    ):
        assert requests.make(name, **more).status == 201
        assert requests.approve(name).status == 200
        if said:
            eventually(requests.failed(name), seconds=60)
            failed = requests.get(name)["status"]["conditions"][1]
            assert (failed["type"], failed["reason"], failed["message"]) == ("Failed", "SignerValidationFailure", said)
    table = requests.side.get(CSRS, accept="application/json;as=Table;v=v1;g=meta.k8s.io").json()
    shown = {row["cells"][0]: row["cells"][-1] for row in table["rows"]}
    assert {name: shown[name] for name in ("one", "serving", "foreign")} == {
        "one": "Denied", "serving": "Approved,Failed", "foreign": "Approved"}  # fmt: skip


def _certificate(key: ec.EllipticCurvePrivateKey) -> str:
    from notebook_mux.playground import certificates

    return base64.b64encode(certificates.make_authority().partition("-----BEGIN CERT")[2].join(
        ("-----BEGIN CERT", "")).encode()).decode()  # fmt: skip


@contextlib.contextmanager
def _allowed(side: Client, user: str, resources: list[str], verbs: list[str], *names: str) -> Iterator[None]:
    """Let a user do something for a while."""
    name = f"{user}-{verbs[0]}"
    rule: Json = {"apiGroups": ["certificates.k8s.io"], "resources": resources, "verbs": verbs}
    if names:
        rule["resourceNames"] = list(names)
    role = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
            "metadata": {"name": name}}  # fmt: skip
    side.ask("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
    side.ask("POST", f"{RBAC}/clusterrolebindings", role)
    try:
        yield
    finally:
        for kind in ("clusterrolebindings", "clusterroles"):
            side.ask("DELETE", f"{RBAC}/{kind}/{name}")


def test_component_statuses(side: Client):
    path = "/api/v1/componentstatuses"
    found = side.get(path)
    assert found.headers.get_all("Warning") == ['299 - "v1 ComponentStatus is deprecated in v1.19+"']
    assert found.json()["kind"] == "ComponentStatusList"
    statuses = {one["metadata"]["name"]: one for one in found.json()["items"]}
    assert set(statuses) == {"controller-manager", "scheduler", "etcd-0"}
    well = {"type": "Healthy", "status": "True", "message": "ok"}
    assert statuses["etcd-0"] == {"metadata": {"name": "etcd-0"}, "conditions": [well]}
    one = side.get(f"{path}/etcd-0", accept="application/json;as=Table;v=v1;g=meta.k8s.io").json()
    assert [row["cells"] for row in one["rows"]] == [["etcd-0", "Healthy", "ok", ""]]
    missing = side.get(f"{path}/nope")
    assert (missing.status, missing.json()["message"]) == (404, 'componentstatus "nope" not found')
    assert side.ask("DELETE", f"{path}/etcd-0").status == 405


def test_a_namespace_is_finished_by_hand(side: Client):
    name = "finished-by-hand"
    path = f"/api/v1/namespaces/{name}"
    assert side.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).status == 201

    def finish(*finalizers: str) -> Answer:
        obj = side.get(path).json()
        obj |= {"spec": {"finalizers": list(finalizers)}, "status": {"phase": "Terminating"}}
        return side.ask("PUT", f"{path}/finalize", obj)

    refused = finish("bad")
    assert (refused.status, refused.json()["message"]) == (
        422, (f'Namespace "{name}" is invalid: spec.finalizers[0]: Invalid value: "bad": name is neither a standard '
        "finalizer name nor is it fully qualified"))  # fmt: skip
    eventually(lambda: finish("x.example/y", "kubernetes").status == 200, seconds=60)
    changed = side.get(path).json()
    assert (changed["spec"], changed["status"]) == (
        {"finalizers": ["x.example/y", "kubernetes"]}, {"phase": "Active"})  # fmt: skip
    kept = side.ask("PATCH", path, {"spec": {"finalizers": []}}, media=MERGE).json()
    assert kept["spec"] == {"finalizers": ["x.example/y", "kubernetes"]}
    assert side.get(f"{path}/finalize").status == 405
    held = config_map("held")
    held["metadata"]["finalizers"] = ["x.example/keep"]
    assert side.ask("POST", f"{path}/configmaps", held).status == 201
    side.ask("DELETE", path)
    eventually(lambda: finish().status == 200, "until nobody changes it meanwhile", seconds=60)
    assert side.get(path).status == 404  # though it is not empty
    assert side.ask("PATCH", f"{path}/configmaps/held", {"metadata": {"finalizers": None}}, media=MERGE).status == 200
