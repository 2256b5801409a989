"""A cluster in memory, with an API server's rules for lists and watches, and faults on order.

It stands in for `cluster.Cluster` and for the server behind it: versions, history, compaction, bookmarks, Tables and
plain objects, WatchList, pages; each as a real server was seen to do it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from notebook_mux import clocks
from notebook_mux.errors import LoginRequired, MuxError, Unreachable
from notebook_mux.gateway import connecting
from notebook_mux.kube.answers import Answer
from notebook_mux.wire.frames import Record, decode_records

COLUMNS = [
    {"name": name, "type": "string", "format": "", "description": "", "priority": 0} for name in ("Name", "Value")
]


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": message, "details": details}  # fmt: skip


class Body:
    """The content of one open watch; `aiohttp.StreamReader` as far as it is used."""

    def __init__(self, table: bool, piece: int) -> None:
        self._queue: asyncio.Queue[bytes | BaseException] = asyncio.Queue()
        self._first = True
        self.table = table
        self.piece = piece

    def send(self, kind: str, obj: dict[str, Any], columns: list[dict[str, Any]]) -> None:
        if kind != "ERROR" and self.table:
            row = {"cells": [obj["metadata"].get("name", ""), obj.get("value")], "object": obj}
            obj = {"kind": "Table", "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]},
                   "columnDefinitions": columns if self._first else None, "rows": [row]}  # fmt: skip
            self._first = False
        data = json.dumps({"type": kind, "object": obj}).encode() + b"\n"
        for start in range(0, len(data), self.piece):
            self._queue.put_nowait(data[start : start + self.piece])

    def end(self, error: BaseException | None = None, half: bytes = b"") -> None:
        if half:
            self._queue.put_nowait(half)
        self._queue.put_nowait(error or b"")

    async def readany(self) -> bytes:
        item = await self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    async def read(self, size: int) -> bytes:
        return await self.readany()


class Response:
    """`aiohttp.ClientResponse` as far as it is used."""

    def __init__(self, code: int, headers: Mapping[str, str], content: Body) -> None:
        self.status, self.headers, self.content = code, headers, content


class ModelCluster:
    """The cluster. `faults` are taken by the next requests, one each; see `_fault`."""

    ref = name = "model"

    def __init__(self, *, table: bool = True, watch_list: bool = True, piece: int = 1 << 20, page: int = 0) -> None:
        self.table, self.watch_list, self.piece = table, watch_list, piece
        self.page = page
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, str, dict[str, Any]]] = []
        self.version = 100
        self.compacted = 0
        self.columns = COLUMNS
        self.open: list[Body] = []
        self.faults: deque[str] = deque()
        self.requests: list[dict[str, str]] = []
        self.last_contact = 0.0
        self.clock = clocks.OURS
        self.forgotten = 0
        self.alive = True

    # --- the world ------------------------------------------------------------------------------------------------

    def put(self, name: str, value: str = "") -> None:
        self.version += 1
        kind = "MODIFIED" if name in self.objects else "ADDED"
        uid = self.objects[name]["metadata"]["uid"] if name in self.objects else f"uid-{name}-{self.version}"
        metadata = {"name": name, "namespace": "ns", "uid": uid, "resourceVersion": str(self.version),
                    "creationTimestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
        obj = {"apiVersion": "v1", "kind": "Thing", "metadata": metadata, "value": value or str(self.version)}
        self.objects[name] = obj
        self._happened(kind, obj)

    def delete(self, name: str) -> None:
        if name in self.objects:
            self.version += 1
            obj = self.objects.pop(name)
            self._happened("DELETED", {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}})

    def bookmark(self) -> None:
        self.version += 1  # something else changed
        for body in self.open:
            body.send("BOOKMARK", self._mark(), self.columns)

    def compact(self) -> None:
        """Forget what was; open watches go on."""
        self.compacted = self.version

    def end_watches(self, how: str = "normal") -> None:
        bodies, self.open = self.open, []
        for body in bodies:
            if how == "normal":
                body.end()
            elif how == "half":
                body.end(half=b'{"type":"MODIFIED","obj')
            elif how == "expired":
                body.send("ERROR", status(410, "Expired", "too old resource version"), self.columns)
                body.end()
            elif how == "internal":
                body.send("ERROR", status(500, "InternalError", "etcd is away"), self.columns)
                body.end()
            else:
                body.end(ConnectionResetError(104, "Connection reset by peer"), half=b'{"type":"ADD')

    def listed(self) -> dict[str, tuple[str, str]]:
        """What a fresh list shows: uid → (name, version)."""
        return {o["metadata"]["uid"]: (n, o["metadata"]["resourceVersion"]) for n, o in self.objects.items()}

    def _happened(self, kind: str, obj: dict[str, Any]) -> None:
        self.history.append((self.version, kind, obj))
        for body in self.open:
            body.send(kind, obj, self.columns)

    def _mark(self, initial_end: bool = False) -> dict[str, Any]:
        metadata: dict[str, Any] = {"resourceVersion": str(self.version)}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        return {"kind": "Thing", "apiVersion": "v1", "metadata": metadata}

    # --- what `Cluster` has ---------------------------------------------------------------------------------------

    def forget_failure(self) -> None:
        self.forgotten += 1

    def failed(self, error: BaseException) -> MuxError:
        return connecting.error_of(error, self.name, "https://model", 10.0)

    async def is_alive(self) -> bool:
        return self.alive

    async def request(self, method: str, path: str, query: str = "", **_: Any) -> Answer:
        await asyncio.sleep(0)
        params = self._asked(query)
        if (refusal := self._fault()) is not None:
            return refusal
        version, page = str(self.version), self._objects(params)
        if params.get("resourceVersionMatch") == "Exact":
            wanted = params["resourceVersion"]
            if not wanted.isdecimal():
                return _answer(status(400, "BadRequest", "invalid resource version"))
            if int(wanted) > self.version:
                causes = [{"reason": "ResourceVersionTooLarge"}]
                return _answer(status(504, "Timeout", "Too large resource version", causes=causes, retryAfterSeconds=1))
            if int(wanted) < self.compacted:
                return _answer(status(410, "Expired", "The provided resource version is too old."))
            version, page = wanted, self._at(int(wanted))
        if self.page and "limit" in params:
            start = 0
            if token := params.get("continue"):
                version, at = base64.b64decode(token).decode().split("/")
                start = int(at)
                if int(version) < self.compacted:
                    return _answer(status(410, "Expired", "The provided continue parameter is too old"))
                page = self._at(int(version))
            more = start + self.page < len(page)
            token = base64.b64encode(f"{version}/{start + self.page}".encode()).decode() if more else ""
            return _answer(self._list(page[start : start + self.page], version, token))
        return _answer(self._list(page, version, ""))

    @contextlib.asynccontextmanager
    async def stream(self, path: str, query: str = "", **_: Any) -> AsyncIterator[Response]:
        await asyncio.sleep(0)
        params = self._asked(query)
        body = Body(self.table, self.piece)
        if (refusal := self._fault()) is not None:
            body.end(half=refusal.body)
            yield Response(refusal.status, refusal.headers, body)
            return
        if "sendInitialEvents" in params:
            if not self.watch_list:
                body.end(half=json.dumps(status(422, "Invalid", "sendInitialEvents is forbidden")).encode())
                yield Response(422, {}, body)
                return
            for obj in reversed(self.objects.values()):
                body.send("ADDED", obj, self.columns)
            body.send("BOOKMARK", self._mark(initial_end=True), self.columns)
        elif int(params["resourceVersion"]) < self.compacted:
            body.send("ERROR", status(410, "Expired", "too old resource version: 1 (2)"), self.columns)
            body.end()
        else:
            for version, kind, obj in self.history:
                if version > int(params["resourceVersion"]):
                    body.send(kind, obj, self.columns)
        self.open.append(body)
        try:
            yield Response(200, {}, body)
        finally:
            if body in self.open:
                self.open.remove(body)

    def _asked(self, query: str) -> dict[str, str]:
        params = {name: values[0] for name, values in parse_qs(query).items()}
        self.requests.append(params)
        return params

    def _fault(self) -> Answer | None:
        fault = self.faults.popleft() if self.faults else ""
        if fault == "refused":
            raise Unreachable("no connection to https://model", cluster="model", said="Connection refused")
        if fault == "plugin":
            raise LoginRequired("the plugin failed", cluster="model")
        if fault == "429":
            return Answer(
                429, {"retry-after": "1", "content-type": "text/plain"}, b"Too many requests, please try again later.\n"
            )
        if fault.isdecimal():
            return _answer(status(int(fault), "Expired" if fault == "410" else "Fault", f"fault {fault}"))
        return None

    def _objects(self, params: dict[str, str]) -> list[dict[str, Any]]:
        return list(self.objects.values())

    def _at(self, version: int) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for at, kind, obj in self.history:
            if at <= version:
                uid = obj["metadata"]["uid"]
                if kind == "DELETED":
                    found.pop(uid, None)
                else:
                    found[uid] = obj
        return list(found.values())

    def _list(self, page: list[dict[str, Any]], version: str, token: str) -> dict[str, Any]:
        metadata = {"resourceVersion": version, **({"continue": token} if token else {})}
        if not self.table:
            return {"kind": "ThingList", "metadata": metadata, "items": page}
        rows = [{"cells": [o["metadata"]["name"], o["value"]], "object": o} for o in page]
        return {"kind": "Table", "metadata": metadata, "columnDefinitions": self.columns, "rows": rows or None}


def _answer(body: dict[str, Any]) -> Answer:
    return Answer(body.get("code", 200), {}, msgspec.json.encode(body))


class Mirror:
    """A reader that keeps what it is told, as a kernel does, and checks what it may rely on."""

    def __init__(self, upstream: Any) -> None:
        self.upstream = upstream
        self.held: dict[str, Record] = {}
        self.log: list[tuple[str, Any]] = []
        self.number = 0
        self.failed: AssertionError | None = None
        self.seen: list[tuple[int, str, bool]] = []
        if upstream.is_synced:
            self._fill()

    def _fill(self) -> None:
        self.number = self.upstream.number
        for encoded in self.upstream.records.values():
            [(_, _, record)] = decode_records(encoded)
            assert isinstance(record, Record)
            self.held[record.uid] = record

    def batch(self, records: Any, payload: bytes) -> None:
        try:
            self._batch(records, payload)
        except AssertionError as error:
            self.failed = error  # the upstream logs what a reader raises and goes on
            raise

    def _batch(self, records: Any, payload: bytes) -> None:
        assert payload == b"".join(encoded for _, _, _, encoded in records)
        for (number, uid, deleted, _), (kind, same, record) in zip(records, decode_records(payload), strict=True):
            assert number == same == self.number + 1, "numbers have no gap and none comes twice"
            assert isinstance(record, Record)
            assert record.uid == uid
            self.number = number
            self.seen.append((number, record.name, deleted))
            assert deleted == (kind == 2)
            if deleted:
                assert uid in self.held, "what is deleted was there"
                del self.held[uid]
            else:
                old = self.held.get(uid)
                assert old is None or old.version != record.version, "no change comes twice"
                self.held[uid] = record
        self.log.append(("batch", len(records)))

    def progress(self, number: int, version: str) -> None:
        assert number == self.number
        self.log.append(("progress", version))

    def columns_changed(self) -> None:
        self.log.append(("columns", [column["name"] for column in self.upstream.columns]))

    def synced(self) -> None:
        self._fill()
        self.log.append(("synced", len(self.held)))

    def relisted(self) -> None:
        self.log.append(("relisted", self.number))

    def state_changed(self) -> None:
        self.log.append(("state", self.upstream.state.state))

    def listed(self) -> dict[str, tuple[str, str]]:
        if self.failed is not None:
            raise self.failed
        return {uid: (record.name, record.version) for uid, record in self.held.items()}


async def until(what: Any, seconds: float = 60.0) -> None:
    """Wait until `what()` is true."""
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0)
