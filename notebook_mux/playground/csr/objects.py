"""A CertificateSigningRequest as the API has it: who asked, what cannot be, and what each path can change."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from notebook_mux.playground.access import Access, Asked, User, not_for
from notebook_mux.playground.checking.base import Causes, bad, duplicate, forbidden, objects, required, unsupported
from notebook_mux.playground.kinds import Kind

Json = dict[str, Any]

GROUP, PLURAL = "certificates.k8s.io", "certificatesigningrequests"
CSRS = f"{PLURAL}.{GROUP}"
APPROVAL = "approval"
APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
CLIENT = "kubernetes.io/kube-apiserver-client"
MASTERS = "system:masters"
OF_WHO_ASKS = ("username", "uid", "groups", "extra")
LEAST_SECONDS = 600
USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
LEGACY = "kubernetes.io/legacy-unknown"
_SIGNER = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+/[^\s/]+")
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
HIDDEN = "<certificate data>"


def begin(obj: Json, user: User | None) -> None:
    """Note in a new request who asks."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    for name in OF_WHO_ASKS:
        spec.pop(name, None)
    if user is not None:
        found = {"username": user.name, "uid": user.uid, "groups": list(user.groups),
                 "extra": {key: list(values) for key, values in user.extra.items()}}  # fmt: skip
        spec |= {name: value for name, value in found.items() if value}


def keep(old: Json, new: Json, subresource: str, stamp: str) -> None:
    """Keep what a path cannot change: each changes one part, and the request never changes."""
    new["spec"] = old["spec"]
    if not subresource:
        return
    before, status = old.get("status") or {}, dict(new.get("status") or {})
    if subresource == APPROVAL:
        status.pop("certificate", None)
        status |= {name: value for name, value in before.items() if name == "certificate"}
    had = {one.get("type"): one for one in before.get("conditions") or ()}
    for _, one in objects(status, "conditions"):
        was = had.get(one.get("type"), {})
        one.setdefault("lastUpdateTime", stamp)
        if not one.get("lastTransitionTime"):
            same = was.get("status") == one.get("status")
            one["lastTransitionTime"] = was.get("lastTransitionTime", stamp) if same else stamp
    new["status"] = status


def blocks(text: Any) -> list[str]:
    """The types of the PEM blocks of what is base64 in JSON."""
    try:
        found = base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        return []
    return [block[1].decode() for block in _BLOCK.finditer(found)]


def problems(new: Json, old: Json | None, subresource: str) -> Causes:
    """The causes for which a request cannot be stored."""
    if old is None:
        yield from _spec(new.get("spec") or {})
    else:
        yield from _conditions(new, old, subresource)
        yield from _certificate(new, old)


def _spec(spec: Json) -> Causes:
    if blocks(spec.get("request"))[:1] != ["CERTIFICATE REQUEST"]:
        yield bad("spec.request", spec.get("request") or "", "PEM block type must be CERTIFICATE REQUEST")
    if not spec.get("usages"):
        yield required("spec.usages")
    seen = set()
    for number, usage in enumerate(spec.get("usages") or ()):
        if usage not in USAGES:
            yield unsupported(f"spec.usages[{number}]", usage, USAGES)
        if usage in seen:
            yield duplicate(f"spec.usages[{number}]", usage)
        seen.add(usage)
    signer = spec.get("signerName") or ""
    if not signer:
        yield required("spec.signerName")
    elif not _SIGNER.fullmatch(signer):
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield bad("spec.signerName", signer, why)
    elif signer == LEGACY:
        yield bad("spec.signerName", signer, "the legacy signerName is not allowed via this API version")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < LEAST_SECONDS:
        why = f"may not specify a duration less than {LEAST_SECONDS} seconds (10 minutes)"
        yield bad("spec.expirationSeconds", seconds, why)


def _conditions(new: Json, old: Json, subresource: str) -> Causes:
    path = "status.conditions"
    types: list[str] = []
    for number, one in objects(new.get("status"), "conditions"):
        here, kind, value = f"{path}[{number}]", one.get("type") or "", one.get("status") or ""
        if not kind:
            yield required(f"{here}.type")
        known = ("True",) if kind in (APPROVED, DENIED, FAILED) else ("False", "True", "Unknown")
        if not value:
            yield required(f"{here}.status")
        elif value not in known:
            yield unsupported(f"{here}.status", value, known)
        if kind in types:
            yield duplicate(f"{here}.type", kind)
        types.append(kind)
    if APPROVED in types and DENIED in types:
        both = [f'conditions[{{"type": "{kind}"}}]' for kind in (APPROVED, DENIED)]
        said = f"must specify at most one of: {', '.join(f'`{one}`' for one in both)}"
        yield bad(path, f"{{{', '.join(both)}}}", said)
    before = [one.get("type") for _, one in objects(old.get("status"), "conditions")]
    for kind in (APPROVED, DENIED, FAILED):
        if kind in before and kind not in types:
            yield forbidden(path, f'updates may not remove a condition of type "{kind}"')
        elif kind in types and kind not in before and kind != FAILED and subresource != APPROVAL:
            yield forbidden(path, f'updates may not add a condition of type "{kind}"')


def _certificate(new: Json, old: Json) -> Causes:
    path = "status.certificate"
    before, now = (one.get("status") or {} for one in (old, new))
    had, has = before.get("certificate"), now.get("certificate")
    if has:
        types = blocks(has)
        if not types:
            yield bad(path, HIDDEN, "must contain at least one CERTIFICATE PEM block")
        for kind in types:
            if kind != "CERTIFICATE":
                yield bad(path, HIDDEN, f'only CERTIFICATE PEM blocks are allowed, found "{kind}"')
                break
    if had and had != has:
        yield forbidden(path, "updates may not modify existing certificate content")


def confirm(access: Access, kind: Kind, new: Json, old: Json | None, user: User, subresource: str) -> None:
    """Refuse what a user may not: a certificate as a master, approving and signing without the signer's word.

    Raises:
        ApiError: 403.
    """
    spec = new.get("spec") or {}
    signer, why = spec.get("signerName", ""), ""
    if old is None:
        if signer == CLIENT and MASTERS in organizations(spec.get("request")):
            why = f"use of {CLIENT} signer with {MASTERS} group is not allowed"
    elif subresource == APPROVAL and not _is_let(access, user, "approve", signer):
        why = f'user not permitted to approve requests with signerName "{signer}"'
    elif (
        subresource == "status" and new.get("status") != old.get("status") and not _is_let(access, user, "sign", signer)
    ):
        why = f'user not permitted to sign requests with signerName "{signer}"'
    if why:
        raise not_for(GROUP, kind.plural, new["metadata"].get("name", ""), why)


def _is_let(access: Access, user: User, verb: str, signer: str) -> bool:
    """Whether somebody may for a signer, or for all of its domain."""
    names = (signer, f"{signer.partition('/')[0]}/*")
    return any(access.may(user, Asked(verb, GROUP, "signers", name=name)) for name in names)


def organizations(request: Any) -> list[str]:
    """The organizations of a request's subject, which are groups; none of what cannot be read."""
    from notebook_mux.playground.csr import signing

    try:
        return signing.groups(signing.read(request))
    except ValueError:
        return []
