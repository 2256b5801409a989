"""A container's volumes: config maps and secrets as they are now, shared and kept folders, a node's files.

Config maps, secrets and what is projected are laid out as a kubelet does it, with the link ``..data`` to the newest
(kubernetes/pkg/volume/util/atomic_writer.go), and are read-only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notebook_mux.playground.accounts.tokens import POD_S, Tokens
from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.shell import environment
from notebook_mux.playground.shell.inodes import File, Folder, Link, Live, LiveFolder, Mount, Node, Space
from notebook_mux.playground.status import ApiError

Json = dict[str, Any]
Contents = dict[str, tuple[bytes, int]]
"""Bytes and mode by path below a volume."""

DEFAULT_MODE = 0o644
KEPT_LIMIT = 16 * 1024 * 1024
"""Bytes of one kept volume."""


class Volumes:
    """The folders that outlive a container: of a pod (emptyDir), of a claim, of a node (hostPath).

    Args:
        cluster: Whose.
        space: Of all of them.
        node_files: Makes the files of a node.
    """

    def __init__(self, cluster: Cluster, space: Space, node_files: Callable[[str], Folder]):
        self._cluster = cluster
        self._space = space
        self._node_files = node_files
        self._tokens = Tokens(cluster, cluster.signer)
        self._kept: dict[tuple[str, ...], Mount] = {}

    def kept(self, *key: str, source: str, kind: str = "ext4") -> Mount:
        """A folder that is kept under a key, made the first time."""
        if key not in self._kept:
            space = Space(KEPT_LIMIT, self._space)
            self._kept[key] = Mount(Folder(0o777), source, kind, space=space)
        return self._kept[key]

    def forget_pod(self, uid: str) -> None:
        """Give up the folders of a pod that has gone."""
        for key in [one for one in self._kept if one[:2] == ("pod", uid)]:
            space = self._kept.pop(key).space
            if space is not None:
                space.release()

    def node(self, name: str) -> Mount:
        """The files of a node."""
        key = ("node", name)
        if key not in self._kept:
            self._kept[key] = Mount(self._node_files(name), "/dev/vda1", "ext4", space=Space(KEPT_LIMIT, self._space))
        return self._kept[key]

    # ------------------------------------------------------------------------------------------ of one pod

    def of(self, pod: Json, volume: Json) -> Mount:
        """What a volume of a pod is."""
        metadata, name = pod["metadata"], volume["name"]
        for kind in ("configMap", "secret", "projected", "downwardAPI"):
            if kind in volume:
                return self._written(pod, kind, volume[kind] or {})
        if claim := volume.get("persistentVolumeClaim"):
            wanted = claim.get("claimName", "")
            found = self._cluster.get("persistentvolumeclaims", metadata["namespace"], wanted) or {}
            uid = (found.get("metadata") or {}).get("uid", "")
            return self.kept("claim", metadata["namespace"], wanted, uid, source="/dev/vdb")
        if host := volume.get("hostPath"):
            return self._of_node(pod["spec"].get("nodeName", ""), host.get("path") or "/")
        memory = (volume.get("emptyDir") or {}).get("medium") == "Memory"
        return self.kept("pod", metadata["uid"], name, source="tmpfs" if memory else "/dev/vda1",
                         kind="tmpfs" if memory else "ext4")  # fmt: skip

    def _of_node(self, node: str, path: str) -> Mount:
        whole = self.node(node)
        here: Node = whole.node
        for part in [one for one in path.split("/") if one]:
            if isinstance(here, LiveFolder):
                found = here.get(part)
            else:
                assert isinstance(here, Folder)
                found = here.entries.setdefault(part, Folder())
            if not isinstance(found, Folder):
                return Mount(found or Folder(), whole.source, whole.kind, space=whole.space)
            here = found
        return Mount(here, whole.source, whole.kind, space=whole.space)

    def _written(self, pod: Json, kind: str, source: Json) -> Mount:
        mode = source.get("defaultMode", DEFAULT_MODE)
        sources = source.get("sources") or () if kind == "projected" else [{kind: source}]

        def look() -> Contents:
            found: Contents = {}
            for one in sources:
                found |= self._contents(pod, one, mode)
            return found

        return Mount(_layout(look, self._cluster.agenda.now()), "tmpfs", "tmpfs", read_only=True)

    def _contents(self, pod: Json, source: Json, mode: int) -> Contents:
        namespace = pod["metadata"]["namespace"]
        if "serviceAccountToken" in source:
            one = source["serviceAccountToken"]
            return {one.get("path", "token"): (self._token(pod, one).encode(), mode)}
        if "downwardAPI" in source:
            return {
                item["path"]: (self._downward(pod, item).encode(), item.get("mode", mode))
                for item in source["downwardAPI"].get("items") or ()
            }
        for kind, resource, key in (("configMap", "configmaps", "name"), ("secret", "secrets", "secretName")):
            if kind in source:
                one = source[kind] or {}
                data = environment.keys_of(self._cluster, resource, namespace, one.get(key) or one.get("name", ""))
                if not one.get("items"):
                    return {name: (value, mode) for name, value in data.items()}
                return {
                    item["path"]: (data[item["key"]], item.get("mode", mode))
                    for item in one["items"]
                    if item["key"] in data
                }
        return {}

    @staticmethod
    def _downward(pod: Json, item: Json) -> str:
        if reference := item.get("resourceFieldRef"):
            named = reference.get("containerName")
            found: Json = next((one for one in pod["spec"]["containers"] if one["name"] == named), {})
            return environment.resource_of(found, reference)
        return environment.field(pod, (item.get("fieldRef") or {}).get("fieldPath", ""))

    def _token(self, pod: Json, source: Json) -> str:
        """A token of the pod's account, a fresh one each time; empty without the account."""
        metadata = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        wanted: Json = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"]}}
        wanted["expirationSeconds"] = source.get("expirationSeconds", POD_S)
        if source.get("audience"):
            wanted["audiences"] = [source["audience"]]
        try:
            given = self._tokens.request(metadata["namespace"], account, {"spec": wanted})
        except ApiError:
            return ""
        return str(given["status"]["token"])


def _layout(look: Callable[[], Contents], now: float) -> LiveFolder:
    """A volume whose files are as `look` says when somebody reads them."""
    stamp = "..{}".format(rfc3339(now).replace("-", "_").replace("T", "_").replace(":", "_").rstrip("Z"))

    def data() -> dict[str, Node]:
        top = Folder()
        for path, (_, mode) in look().items():
            folder = top
            *above, name = [one for one in path.split("/") if one and one != ".."] or ["_"]
            for part in above:
                found = folder.entries.setdefault(part, Folder(mtime=now))
                if not isinstance(found, Folder):
                    break
                folder = found
            folder.entries[name] = Live(_reader(look, path), mode & 0o777, now)
        return top.entries

    def entries() -> dict[str, Node]:
        found: dict[str, Node] = {stamp: LiveFolder(data, 0o755, now), "..data": Link(stamp, now)}
        for path in look():
            first = path.partition("/")[0]
            found[first] = Link(f"..data/{first}", now)
        return found

    return LiveFolder(entries, 0o777 | 0o1000, now)


def _reader(look: Callable[[], Contents], path: str) -> Callable[[], bytes]:
    return lambda: look().get(path, (b"", 0))[0]


def mounts_of(volumes: Volumes, pod: Json, container: Json, root: Folder) -> dict[str, Mount]:
    """What is mounted in a container, by path; their folders are made in its root."""
    from notebook_mux.playground.shell.images import put

    by_name = {one["name"]: one for one in pod["spec"].get("volumes") or ()}
    found = dict[str, Mount]()
    for one in container.get("volumeMounts") or ():
        volume = by_name.get(one.get("name", ""))
        path = "/" + "/".join(part for part in str(one.get("mountPath", "")).split("/") if part not in ("", ".", ".."))
        if volume is None or path == "/":
            continue
        mount = volumes.of(pod, volume)
        node: Node = mount.node
        for part in [part for part in str(one.get("subPath") or "").split("/") if part not in ("", ".", "..")]:
            node = _below(node, part)
        read_only = mount.read_only or bool(one.get("readOnly"))
        found[path] = Mount(node, mount.source, mount.kind, read_only, mount.space)
        place: Node = Folder() if isinstance(node, Folder) else File()
        if path.startswith("/var/run/"):
            put(root, "/run/" + path.removeprefix("/var/run/"), place)
            found["/run/" + path.removeprefix("/var/run/")] = found.pop(path)
        else:
            put(root, path, place)
    return found


def _below(node: Node, name: str) -> Node:
    """What is at a name in a folder, followed; a folder is made where nothing is and something can be."""
    if not isinstance(node, Folder):
        return Folder()
    found = node.get(name)
    if isinstance(found, Link):
        for part in found.target.split("/"):
            node = _below(node, part)
        return node
    if found is None:
        found = Folder()
        if not isinstance(node, LiveFolder):
            node.entries[name] = found
    return found
