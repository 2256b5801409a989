"""What others may ask of a cluster's kubelets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.behaviour import Declared

if TYPE_CHECKING:
    from notebook_mux.playground.controllers.kubelet.agent import Kubelet

_kubelets: WeakKeyDictionary[Cluster, Kubelet] = WeakKeyDictionary()
_declared: WeakKeyDictionary[Cluster, Declared] = WeakKeyDictionary()


def register(kubelet: Kubelet) -> None:
    """Make a cluster's kubelets known."""
    _kubelets[kubelet.cluster] = kubelet


def declared(cluster: Cluster) -> Declared:
    """What a cluster's images do."""
    return _declared.setdefault(cluster, Declared())


def declare(cluster: Cluster, image: str, said: str) -> None:
    """Let pods do something from their start on: those with an image whose name has a part, say ``flaky``.

    Args:
        cluster: The cluster.
        image: The part of the image's name.
        said: Stages as an annotation says them, ``crash 8``; see `controllers.behaviour`.
    """
    declared(cluster).declare(image, said)


def kill(cluster: Cluster, namespace: str, pod: str, container: str, code: int, *, reason: str = "") -> bool:
    """End a container's first process, as ``kill 1`` in it does: its kubelet starts it again if its policy says so.

    Args:
        cluster: The cluster.
        namespace: The pod's.
        pod: Its name.
        container: The container's name, of any kind.
        code: With which exit code: 128 and the signal's number for a signal.
        reason: Of its end; empty is what the exit code means.

    Returns:
        Whether such a container ran.
    """
    kubelet = _kubelets.get(cluster)
    return kubelet is not None and kubelet.kill(namespace, pod, container, code, reason)


def probe_again(cluster: Cluster, namespace: str, pod: str, container: str) -> None:
    """Ask a container's HTTP probes again from now on: somebody is in it, who may change what its server answers."""
    kubelet = _kubelets.get(cluster)
    if kubelet is not None:
        kubelet.probe_again(namespace, pod, container)
