"""The files of a node, as far as somebody looks at them from a node's shell."""

from __future__ import annotations

import zlib

from notebook_mux.playground.shell import images
from notebook_mux.playground.shell.commands import registry
from notebook_mux.playground.shell.inodes import File, Folder

RELEASE = """\
PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
ID=ubuntu
"""
KUBELET = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
clusterDomain: cluster.local
cgroupDriver: systemd
"""


def root_of(node: str) -> Folder:
    """The files of a node."""
    root = images.root_of(images.Image("debian"), sorted(registry.COMMANDS))
    for path, text in (
        ("/etc/hostname", f"{node}\n"),
        ("/etc/os-release", RELEASE),
        ("/etc/machine-id", f"{zlib.crc32(node.encode()):032x}\n"),
        ("/etc/kubernetes/kubelet.conf", "# of the playground: nothing in it opens anything\n"),
        ("/var/lib/kubelet/config.yaml", KUBELET),
        ("/var/log/syslog", ""),
    ):
        images.put(root, path, File(text.encode(), mtime=images.BUILT))
    for path in ("/var/log/pods", "/var/log/containers", "/var/lib/containerd", "/etc/cni/net.d", "/boot"):
        images.put(root, path, Folder(mtime=images.BUILT))
    return root
