"""What service accounts need around them: the default one, the cluster's certificate, and the tokens in secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.accounts.given import ACCOUNT, ROOT, give
from notebook_mux.playground.accounts.tokens import ACCOUNT_NAME, ACCOUNT_UID, TOKEN_SECRET, Tokens
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]


class Accounts(Controller):
    """Keeps the default account and the root certificate of each namespace, and fills token secrets."""

    watches = ("serviceaccounts", "secrets", "configmaps")

    def keys(self, change: Change) -> Iterable[Key]:
        """A namespace whose own things went, or the token secrets that a change matters to."""
        new, resource = change.new, change.new.kind.resource
        if resource == "configmaps":
            changed = change.old is not None and change.old.body != new.body
            return [(new.namespace, "")] if new.name == ROOT and changed else []
        if resource == "secrets":
            return [new.key] if new.fields.get("type") == TOKEN_SECRET and change.type != "DELETED" else []
        gone = [(new.namespace, "")] if change.type == "DELETED" and new.name == ACCOUNT else []
        return gone + [
            one.key for one in self.store.items("secrets", new.namespace) if one.fields.get("type") == TOKEN_SECRET
        ]

    def sync(self, key: Key) -> None:
        """Look at a secret, or at a namespace."""
        if not key[1]:
            namespace = self.store.get("namespaces", "", key[0])
            if namespace is not None and not namespace.deleting:
                give(self.cluster, namespace.name)
            return
        secret = self.store.get("secrets", *key)
        if secret is not None and secret.fields.get("type") == TOKEN_SECRET:
            self._fill(secret)

    def _fill(self, secret: Stored) -> None:
        obj = secret.decode()
        annotations = obj["metadata"].get("annotations") or {}
        account = self.store.get("serviceaccounts", secret.namespace, annotations.get(ACCOUNT_NAME, ""))
        if account is None or annotations.get(ACCOUNT_UID, account.uid) != account.uid:
            self.store.remove(secret.kind, secret.key)
            return
        data = obj.setdefault("data", {})
        tokens = Tokens(self.cluster, self.cluster.signer)
        missing = {
            "ca.crt": self.cluster.authority,
            "namespace": secret.namespace.encode(),
            "token": b"" if data.get("token") else tokens.of_secret(account, secret.name).encode(),
        }
        for name, value in missing.items():
            if not data.get(name):
                data[name] = base64.b64encode(value).decode()
        obj["metadata"]["annotations"] = {**annotations, ACCOUNT_UID: account.uid}
        self.cluster.put(secret, obj)
