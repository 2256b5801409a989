"""The service account that Kubernetes gives every pod (kubernetes.io, "Accessing the API from a Pod")."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from notebook_mux.errors import NoCluster
from notebook_mux.gateway import proxies
from notebook_mux.gateway.entries import Server, User

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONTEXT_NAME = "in-cluster"


def service_account(env: Mapping[str, str], account: Path) -> tuple[Server, User, str]:
    """Server, identity and namespace of the pod this runs in.

    Raises:
        NoCluster: This is no pod, or one without a service account.
    """
    host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT")
    token = account / "token"
    if not host or not port or not token.is_file():
        raise NoCluster(
            f"not in a pod: KUBERNETES_SERVICE_HOST and _PORT are {'' if host else 'not '}set, {token} is "
            f"{'' if token.is_file() else 'not '}there",
            todo="give kubeconfig=..., or mount the service account (automountServiceAccountToken)",
        )
    try:
        namespace = (account / "namespace").read_text().strip()
    except OSError:
        namespace = ""
    address = f"[{host}]" if ":" in host else host
    # The token file is read again by time: a bound token is replaced before its hour is over.
    url = f"https://{address}:{port}"
    # As client-go does in a pod: a cluster's own address is in NO_PROXY where a proxy is set, or kubectl fails too.
    proxy, proxy_from = proxies.from_environment(url, env)
    server = Server(url=url, ca_file=account / "ca.crt", proxy=proxy, proxy_from=proxy_from)
    return server, User(token_file=token), namespace or "default"
