"""The signers of a control plane, and the end of requests that nobody needs any more."""

from __future__ import annotations

import base64
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import condition
from notebook_mux.playground.csr import signing
from notebook_mux.playground.csr.objects import APPROVED, CLIENT, CSRS, DENIED, FAILED
from notebook_mux.playground.store import Key

Json = dict[str, Any]

NODE_CLIENT, NODE_SERVING = f"{CLIENT}-kubelet", "kubernetes.io/kubelet-serving"
NODES, NODE = "system:nodes", "system:node:"
USAGES = {
    CLIENT: ("client", "client auth"),
    NODE_CLIENT: ("kubelet client", "client auth"),
    NODE_SERVING: ("kubelet serving", "server auth"),
}
"""What each signer signs for: its word in refusals, and the usage that is needed."""

BESIDE = frozenset({"digital signature", "key encipherment"})
KEPT_S, PENDING_S = 3600.0, 86_400.0
"""How long a request is kept that is over, and one that nobody looks at (controllers/certificates/cleaner)."""


class CertificateRequests(Controller):
    """Signs what is approved, and cleans up."""

    watches = (CSRS,)

    def sync(self, key: Key) -> None:
        """Look at a request."""
        stored = self.store.get(CSRS, *key)
        if stored is None:
            return
        obj = stored.decode()
        conditions = (obj.get("status") or {}).get("conditions")
        over = [one for kind in (APPROVED, DENIED, FAILED) if (one := condition(conditions, kind))]
        signed = bool((obj.get("status") or {}).get("certificate"))
        if condition(conditions, APPROVED) and len(over) == 1 and not signed and obj["spec"]["signerName"] in USAGES:
            self._sign(key, obj["spec"])
            return
        waits = [since_epoch(one["lastUpdateTime"]) + KEPT_S for one in over if signed or one["type"] != APPROVED]
        if not over:
            waits = [since_epoch(obj["metadata"]["creationTimestamp"]) + PENDING_S]
        if waits and (left := min(waits) - self.agenda.now()) <= 0:
            self.cluster.remove(CSRS, *key)
        elif waits:
            self.later(left, key)

    def _sign(self, key: Key, spec: Json) -> None:
        if not self.cluster.client_authority:
            return
        try:
            request = signing.read(spec["request"])
            said = _problem(spec, signing.groups(request), signing.common_name(request))
        except ValueError as error:
            said = f"unable to parse csr: {error}"
        stamp = self.agenda.stamp()
        if said:
            new = {"type": FAILED, "status": "True", "reason": "SignerValidationFailure", "message": said,
                   "lastUpdateTime": stamp, "lastTransitionTime": stamp}  # fmt: skip
            self.cluster.update(CSRS, *key, lambda obj: obj["status"]["conditions"].append(new))
            return
        seconds = spec.get("expirationSeconds") or signing.MOST_S
        pem = signing.certificate(self.cluster.client_authority, request, spec["usages"], seconds)
        text = base64.b64encode(pem).decode()
        self.cluster.update(CSRS, *key, lambda obj: obj["status"].update(certificate=text))


def _problem(spec: Json, groups: list[str], name: str) -> str:
    """Why a signer does not sign a request; empty if it does."""
    signer = spec["signerName"]
    word, needed = USAGES[signer]
    if signer != CLIENT:
        if groups != [NODES]:
            return f"subject organization is not {NODES}"
        if not name.startswith(NODE):
            return f"subject common name does not begin with {NODE}"
    for usage in spec["usages"]:
        if usage != needed and usage not in BESIDE:
            return f"invalid usage for {word} certificate: {usage}"
    return "" if needed in spec["usages"] else f"missing required usage for {word} certificate: {needed}"
