"""Who may do what, asked of the cluster by an access review: about oneself, or about an account, a user, a group.

(kubernetes.io, "Authorization: checking API access"; the names of service accounts and their groups:
kubernetes/staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go.)
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from notebook_mux import errors
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.expecting.looks import Look
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.refusals import OK, refused
from notebook_mux.handles.server import Server
from notebook_mux.kernel import holder
from notebook_mux.kube import reviews

if TYPE_CHECKING:
    from notebook_mux.handles.expecting.target import Target

SECONDS = 10.0
"""For one review, which an API server answers in milliseconds."""

HOW = "write 'list pods', 'get pods/log', 'delete deployments web', 'list nodes' or 'list pods in kube-system'"

EVERYWHERE = "*"

VERBS = frozenset({
    "*", "approve", "attest", "bind", "create", "delete", "deletecollection", "escalate", "get", "impersonate", "list",
    "patch", "proxy", "sign", "update", "use", "watch",
})  # fmt: skip
"""Those that Kubernetes' own authorizers and admission ask for; others have verbs of their own besides."""

SUBRESOURCES = frozenset({
    "approval", "attach", "binding", "ephemeralcontainers", "eviction", "exec", "finalize", "log", "portforward",
    "proxy", "resize", "scale", "status", "token",
})  # fmt: skip
"""Those of Kubernetes' own kinds."""

AUTHENTICATED, ACCOUNTS = "system:authenticated", "system:serviceaccounts"

NEAR = 0.75
"""How like one another two words are that are the same but for a slip (difflib's ratio)."""

_READ = re.compile(
    r"(?P<verb>[a-z*]+)\s+(?P<resource>[a-z0-9.*-]+)(?:/(?P<subresource>[a-z]+))?"
    r"(?:\s+(?!in\s)(?P<name>[^\s/]+))?(?:\s+in\s+(?P<namespace>[a-z0-9*-]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Right:
    """One right that somebody should, or should not, have.

    Args:
        text: As it was written.
        wanted_so: Whether it is to be allowed.
    """

    text: str
    wanted_so: bool
    verb: str
    resource: str
    subresource: str
    named: str
    namespace: Names = None
    cluster: Names = None
    who: str = ""
    whose: Names = None

    @classmethod
    def read(cls, text: str, allowed: bool) -> Right:
        """A right as it is written: a verb, a resource as roles have it, perhaps a name and a namespace.

        Raises:
            InvalidArgument: It is none.
        """
        found = _READ.fullmatch(text.strip())
        if found is None:
            raise errors.InvalidArgument(f"{text!r} is no right", todo=HOW)
        parts = {key: value or "" for key, value in found.groupdict().items()}
        # Nobody has a right that there is not, so what is written wrong would be taken for what somebody cannot do.
        _meant(parts["verb"].lower(), VERBS, "verb")
        _meant(parts["subresource"].lower(), SUBRESOURCES, "part of an object")
        place = parts["namespace"]
        if place and place != EVERYWHERE:
            checked_namespaces(place)
        return cls(
            " ".join(text.split()), allowed, parts["verb"].lower(), parts["resource"], parts["subresource"],
            parts["name"], place or None,
        )  # fmt: skip

    def of(self, target: Target | None, namespace: Names, cluster: Names) -> Right:
        """The same of somebody: an account, ``user/``, ``group/``, or None for oneself."""
        if target is None:
            return replace(self, namespace=self.namespace or namespace, cluster=cluster)
        who = target.words.partition(" in ")[0]
        place = self.namespace or target.namespace
        return replace(self, namespace=place, cluster=target.cluster, who=who, whose=target.namespace)

    @property
    def name(self) -> str:
        """Such as ``can list pods``."""
        return f"{'can' if self.wanted_so else 'cannot'} {self.text}"

    @property
    def wanted(self) -> str:
        """What is expected, for people."""
        return f"{'the' if self.wanted_so else 'no'} right to {self.text}"

    async def ask(self, manager: Any, deadline: float | None) -> Look:
        """Ask each cluster; a coroutine of `waiting`'s kind."""
        identity: Identity = manager._identity
        for context in chosen_contexts(identity, self.cluster):
            allowed, why = await self._allowed(identity, context, deadline)
            if allowed is not self.wanted_so:
                where = f" in {context.alias}" if len(identity.contexts) > 1 else ""
                said = f": {why}" if why else ""
                return Look(False, f"{'may' if allowed else 'may not'} {self.text}{where}{said}", allowed)
        return Look(True, f"{'may' if self.wanted_so else 'may not'} {self.text}", self.wanted_so)

    async def _allowed(self, identity: Identity, context: Context, deadline: float | None) -> tuple[bool, str]:
        server = Server(identity, context)
        resource = {"group": "*", "name": "*", "namespaced": True}
        if self.resource != "*":
            resource = await server.resource(self.resource)
        own = context.namespace or "default"
        place = _one(self.namespace, own)
        attributes = {
            "verb": self.verb,
            "group": resource["group"],
            "resource": resource["name"],
            "subresource": self.subresource,
            "name": self.named,
            "namespace": "" if place == EVERYWHERE or not resource["namespaced"] else place,
        }
        spec: dict[str, Any] = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
        spec |= self._subject(_one(self.whose, own))
        kind = reviews.SUBJECT if self.who else reviews.ACCESS
        status, _, content = await answered(
            holder.core().http,
            identity.connection,
            context.ref,
            "POST",
            reviews.path_of(kind),
            headers=reviews.HEADERS,
            body=reviews.review(kind, spec),
            scope=identity.scope,  # asking about others is no reading for the gateway: it needs the right to write
            user=identity.user,
            timeout=SECONDS,
            what=f"asking {context.alias} whether {self.who or 'you'} may {self.text}",
        )
        if status not in OK:
            raise refused(status, content, what=f"asking what {self.who or 'you'} may", cluster=context.alias)
        answer = reviews.status_of(content) or {}
        return bool(answer.get("allowed")), str(answer.get("evaluationError") or "")

    def _subject(self, namespace: str) -> dict[str, Any]:
        kind, _, name = self.who.partition("/")
        if not kind:
            return {}
        if kind.lower().startswith("group"):
            return {"user": "nobody-in-particular", "groups": [name, AUTHENTICATED]}
        if kind.lower().startswith("user"):
            return {"user": name, "groups": [AUTHENTICATED]}
        groups = [ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED]
        return {"user": f"system:serviceaccount:{namespace}:{name}", "groups": groups}


def _meant(word: str, known: frozenset[str], what: str) -> None:
    """Refuse a word that is nearly one of those that are known, and none of them."""
    near = difflib.get_close_matches(word, known, 1, NEAR) if word and word not in known else []
    if near:
        raise errors.InvalidArgument(f"{word!r} is no {what}", todo=f"did you mean {near[0]}?")


def _one(namespace: Names, own: str) -> str:
    """One namespace to ask in."""
    if namespace is None:
        return own
    names = [namespace] if isinstance(namespace, str) else list(namespace)
    if len(names) != 1:
        raise errors.InvalidArgument("a right is asked of one namespace", todo="give one namespace=, or '*' for all")
    return names[0]
