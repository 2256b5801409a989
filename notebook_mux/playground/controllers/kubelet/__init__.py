"""The kubelets of all nodes: a pod's life from ContainerCreating to its end.

`agent` looks at a pod and does what comes next; `starting` has what goes before a container (volumes, images,
configuration), `stopping` what comes after it (restarts, back-off, the pod's end), `watching` its probes. `images`,
`inputs` and `probes` know what can go wrong there, `status` how all of it reads in a pod's status, and `lives` is what
a kubelet remembers of a pod beside that. What containers do is `controllers.behaviour`.
"""

from __future__ import annotations

from notebook_mux.playground.controllers.kubelet.agent import Kubelet
from notebook_mux.playground.controllers.kubelet.public import declare, kill

__all__ = ["Kubelet", "declare", "kill"]
