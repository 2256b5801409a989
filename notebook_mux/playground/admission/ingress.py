"""DefaultIngressClass: an ingress without a class gets the default one."""

from __future__ import annotations

from notebook_mux.playground.admission.base import Request

CLASSES = "ingressclasses.networking.k8s.io"
INGRESSES = "ingresses.networking.k8s.io"
DEFAULT = "ingressclass.kubernetes.io/is-default-class"
OLD_ANNOTATION = "kubernetes.io/ingress.class"


def give_default_class(request: Request) -> None:
    """Name the default class in a new ingress that names none.

    Raises:
        ApiError: 403 where several classes are the default.
    """
    if not request.is_new(INGRESSES):
        return
    spec = request.obj.setdefault("spec", {})
    if spec.get("ingressClassName") or OLD_ANNOTATION in (request.obj["metadata"].get("annotations") or {}):
        return
    classes = [one.decode()["metadata"] for one in request.cluster.store.items(CLASSES)]
    default = [one for one in classes if (one.get("annotations") or {}).get(DEFAULT) == "true"]
    if default:
        # The newest, and of these the first by name, as a real server chooses.
        default.sort(key=lambda one: one["name"])
        spec["ingressClassName"] = max(default, key=lambda one: str(one.get("creationTimestamp")))["name"]
