"""Tokens of service accounts: asked for (TokenRequest), read (bearer tokens, TokenReview), and those in secrets.

KEP-1205 (bound service account tokens) and https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

from notebook_mux.playground import causes
from notebook_mux.playground.access import AUTHENTICATED, User
from notebook_mux.playground.accounts.signing import BadToken, Signer
from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.status import ApiError, bad_request, invalid, not_found
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEGACY = "kubernetes.io/serviceaccount/"
PREFIX = "system:serviceaccount:"

SHORTEST_S, LONGEST_S, USUAL_S = 600, 1 << 32, 3600
POD_S, EXTENDED_S = 3607, 365 * 24 * 3600
"""A pod's token that is asked for so long lives for a year, so that programs that never read it again go on."""

LEEWAY_S = 60
"""A token is taken so long after its end and before its beginning (go-jose's default)."""

EXTRA = "authentication.kubernetes.io/"
TOKEN_SECRET = "kubernetes.io/service-account-token"
ACCOUNT_NAME, ACCOUNT_UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


class Tokens:
    """Gives and knows the tokens of one cluster.

    Args:
        cluster: Whose service accounts.
        signer: Its key.
    """

    def __init__(self, cluster: Cluster, signer: Signer):
        self._cluster = cluster
        self._signer = signer

    # -------------------------------------------------------------------------------------------- asking for

    def request(self, namespace: str, name: str, asked: Json) -> Json:
        """Answer a TokenRequest.

        Args:
            namespace: Of the service account.
            name: Of the service account.
            asked: The TokenRequest.

        Raises:
            ApiError: 400, 404 (no such account, or object that it is to be bound to), 409 or 422.
        """
        metadata, spec = asked.get("metadata") or {}, asked.get("spec") or {}
        for key, wanted in (("name", name), ("namespace", namespace)):
            if metadata.get(key) and metadata[key] != wanted:
                text = "must match the service account name if specified"
                if key == "namespace":
                    text = "must match the service account namespace if specified"
                raise _invalid(name, causes.wrong(f"metadata.{key}", metadata[key], text))
        account = self._cluster.store.get("serviceaccounts", namespace, name)
        if account is None:
            raise not_found(self._cluster.kind("serviceaccounts"), name)
        seconds = spec.get("expirationSeconds")
        seconds = USUAL_S if seconds is None else seconds
        if problems := list(_seconds(seconds)):
            raise _invalid("", *problems)
        audiences = list(spec.get("audiences") or [ISSUER])
        bound = self._bound(account, spec.get("boundObjectRef"))
        lives = EXTENDED_S if "pod" in bound and seconds == POD_S and audiences == [ISSUER] else seconds
        now = self._cluster.agenda.clock.wall()
        warn = {"warnafter": int(now) + seconds} if lives != seconds else {}
        token = self._issue(account, audiences, lives, bound | warn)
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": account.uid,
                "creationTimestamp": rfc3339(now),
                **({"managedFields": metadata["managedFields"]} if metadata.get("managedFields") else {}),
            },
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {"token": token, "expirationTimestamp": rfc3339(int(now) + seconds)},
        }

    def of_pod(self, namespace: str, name: str) -> str:
        """The token that a pod finds mounted; empty without the pod or its account."""
        pod = self._cluster.get("pods", namespace, name)
        account = (pod or {}).get("spec", {}).get("serviceAccountName") or "default"
        if pod is None or self._cluster.store.get("serviceaccounts", namespace, account) is None:
            return ""
        reference = {"kind": "Pod", "apiVersion": "v1", "name": name}
        asked = {"spec": {"expirationSeconds": POD_S, "boundObjectRef": reference}}
        token: str = self.request(namespace, account, asked)["status"]["token"]
        return token

    def _issue(self, account: Stored, audiences: list[str], seconds: int, more: Json) -> str:
        now = int(self._cluster.agenda.clock.wall())
        own = {"namespace": account.namespace, "serviceaccount": {"name": account.name, "uid": account.uid}}
        return self._signer.sign(
            {
                "aud": audiences,
                "exp": now + seconds,
                "iat": now,
                "iss": ISSUER,
                "jti": str(uuid.uuid4()),
                "kubernetes.io": own | more,
                "nbf": now,
                "sub": f"{PREFIX}{account.namespace}:{account.name}",
            }
        )

    def _bound(self, account: Stored, reference: Json | None) -> Json:
        """The claims about the object that a token is to end with."""
        if not reference:
            return {}
        kind, name = reference.get("kind", ""), reference.get("name", "")
        group, _, version = reference.get("apiVersion", "").rpartition("/")
        if group or kind not in ("Pod", "Secret", "Node"):
            said = f"{group}/{version}, Kind={kind}"
            raise bad_request(f"cannot bind token to object of type {said}")
        resource = f"{kind.lower()}s"
        stored = self._cluster.store.get(resource, "" if kind == "Node" else account.namespace, name)
        if stored is None:
            raise not_found(self._cluster.kind(resource), name)
        found: Json = {kind.lower(): {"name": name, "uid": stored.uid}}
        if kind == "Pod":
            spec = stored.decode().get("spec") or {}
            if spec.get("serviceAccountName") != account.name:
                raise bad_request(
                    f'cannot bind token for serviceaccount "{account.name}" to pod running with different '
                    "serviceaccount name."
                )
            if node := spec.get("nodeName"):
                there = self._cluster.store.get("nodes", "", node)
                found["node"] = {"name": node, **({"uid": there.uid} if there else {})}
        if reference.get("uid") and reference["uid"] != stored.uid:
            said = (
                f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            )
            raise ApiError(
                409, "Conflict", f'Operation cannot be fulfilled on {kind} "{name}": {said}',
                {"name": name, "kind": kind},
            )  # fmt: skip
        return found

    # ----------------------------------------------------------------------------------------------- reading

    def user_of(self, token: str) -> User | None:
        """Whose token it is, if it is for this API server and good at this moment; else None."""
        found = self.read(token)
        return found[0] if found is not None and ISSUER in found[1] else None

    def read(self, token: str) -> tuple[User, list[str]] | None:
        """Whose token it is and for which audiences; None if it is no one's, or no longer."""
        try:
            claims = self._signer.verify(token)
            if claims.get("iss") == LEGACY_ISSUER:
                return self._of_secret(claims, token)
            return self._of_claims(claims) if claims.get("iss") == ISSUER else None
        except (BadToken, KeyError, TypeError, AttributeError):
            return None

    def _of_claims(self, claims: Json) -> tuple[User, list[str]] | None:
        now = self._cluster.agenda.clock.wall()
        if now > claims["exp"] + LEEWAY_S or now < claims["nbf"] - LEEWAY_S:
            return None
        own = claims["kubernetes.io"]
        namespace, account = own["namespace"], own["serviceaccount"]
        if not self._there("serviceaccounts", namespace, account):
            return None
        extra: dict[str, tuple[str, ...]] = {f"{EXTRA}credential-id": (f"JTI={claims['jti']}",)}
        if (secret := own.get("secret")) and not self._there("secrets", namespace, secret):
            return None
        if pod := own.get("pod"):
            if not self._there("pods", namespace, pod):
                return None
            extra |= {f"{EXTRA}pod-name": (pod["name"],), f"{EXTRA}pod-uid": (pod["uid"],)}
        if node := own.get("node"):
            if not pod and not self._there("nodes", "", node):
                return None
            extra[f"{EXTRA}node-name"] = (node["name"],)
            if node.get("uid"):
                extra[f"{EXTRA}node-uid"] = (node["uid"],)
        return user(namespace, account["name"], account["uid"], extra), list(claims["aud"])

    def _of_secret(self, claims: Json, token: str) -> tuple[User, list[str]] | None:
        namespace, name = claims[f"{LEGACY}namespace"], claims[f"{LEGACY}service-account.name"]
        account = {"name": name, "uid": claims[f"{LEGACY}service-account.uid"]}
        secret = self._cluster.get("secrets", namespace, claims[f"{LEGACY}secret.name"])
        held = ((secret or {}).get("data") or {}).get("token", "")
        if base64.b64encode(token.encode()).decode() != held or not self._there("serviceaccounts", namespace, account):
            return None
        return user(namespace, name, account["uid"], {}), [ISSUER]

    def _there(self, resource: str, namespace: str, reference: Json) -> bool:
        """Whether the very object is there: not one made later under its name."""
        stored = self._cluster.store.get(resource, namespace, reference["name"])
        return stored is not None and stored.uid == reference["uid"]

    # --------------------------------------------------------------------------------------------- in secrets

    def of_secret(self, account: Stored, secret: str) -> str:
        """The token for a secret of type service-account-token: it has no end but the secret's."""
        return self._signer.sign(
            {
                "iss": LEGACY_ISSUER,
                f"{LEGACY}namespace": account.namespace,
                f"{LEGACY}secret.name": secret,
                f"{LEGACY}service-account.name": account.name,
                f"{LEGACY}service-account.uid": account.uid,
                "sub": f"{PREFIX}{account.namespace}:{account.name}",
            }
        )

    # ------------------------------------------------------------------------------------------ what proves it

    def configuration(self, host: str) -> Json:
        """``/.well-known/openid-configuration`` (OpenID Connect Discovery 1.0).

        Args:
            host: And port, where the key set is.
        """
        return {
            "issuer": ISSUER,
            "jwks_uri": f"https://{host}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [key["alg"] for key in self._signer.jwks()["keys"]],
        }

    def jwks(self) -> Json:
        """``/openid/v1/jwks``."""
        return self._signer.jwks()


def user(namespace: str, name: str, uid: str, extra: dict[str, tuple[str, ...]]) -> User:
    """A service account as a user."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{PREFIX}{namespace}:{name}", groups, extra, uid)


def _seconds(seconds: int) -> list[Json]:
    path = "spec.expirationSeconds"
    if seconds < SHORTEST_S:
        return [causes.wrong(path, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > LONGEST_S:
        return [causes.wrong(path, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _invalid(name: str, *found: Json) -> ApiError:
    return invalid("authentication.k8s.io", "TokenRequest", name, *found)
