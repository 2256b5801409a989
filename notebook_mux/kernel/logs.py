"""Logs as the kernel has them: the containers of the pods that are asked for, in one bounded store.

Each is read by the rule of `tailing.tail`. Pods come and go by an ordinary stream of pods.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.feed import Feed
from notebook_mux.kernel.following import Following
from notebook_mux.kernel.log_filter import LogFilter
from notebook_mux.kernel.log_pods import Known, is_synced, path_of
from notebook_mux.kernel.log_spec import LogSpec, LogsRead, LogsState
from notebook_mux.kernel.members import StreamSpec
from notebook_mux.kernel.pod_asking import NAME_FIELD, Found, PodAskings
from notebook_mux.kernel.streams import Stream
from notebook_mux.tailing.lines import Batch
from notebook_mux.tailing.pods import Pod, read_pod
from notebook_mux.tailing.reading import CONTINUED, CUT, ERROR, INFO, MARK, WARNING
from notebook_mux.tailing.store import LogStore

if TYPE_CHECKING:
    from notebook_mux.kernel.endpoint import Endpoint

__all__ = ["LogSpec", "LogStream", "LogsRead", "LogsState"]

TICK_SECONDS = 0.05
"""Between looks at tails that wait for something in time, the shortest of which is a first wave's end."""

WAKE_SECONDS = 0.01
"""Between two words to readers that there is something new."""

LOOK_SECONDS = 5.0
"""For reading a pod afresh; without it, what its watch said last counts."""

NAMED_PODS = 8
"""Pods asked for by name that are watched one by one; more are picked from all of their namespace."""

PLACE_SECONDS = 60.0
"""A container that was forgotten leaves its place to another one so much later: who has read lines of it still asks
whose they are."""

SHOWN_NAMES = 8
"""Of containers or pods that a message names."""

MARK_LEVELS = {"failed": ERROR, "gap": WARNING, "bound": WARNING, "restarted": WARNING}


class LogStream:
    """The logs of one spec. On the loop's thread, unless it says otherwise.

    Args:
        id_: Its id in the core.
        spec: What of.
        endpoint: The connection's.
        ended: Called once when it has closed.
    """

    def __init__(self, id_: str, spec: LogSpec, endpoint: Endpoint, ended: Callable[[LogStream], None]) -> None:
        self.id = id_
        self.spec = spec
        self.closed = False
        self.store = LogStore()
        self.sources: list[Following] = []
        self.version = 0
        self.problem: dict[str, Any] | None = None
        self.left_out: tuple[str, ...] = ()
        self._endpoint = endpoint
        self._ended = ended
        self._pattern = re.compile(spec.pattern) if spec.pattern else None
        self._container = re.compile(spec.container) if spec.container else None
        self._filter = LogFilter(spec.include, spec.exclude)
        self._pods: dict[tuple[str, str], Known] = {}
        self._askings = PodAskings(endpoint, spec.user, self._asked)
        self._free: deque[tuple[float, int]] = deque()
        self._streams: list[Stream] = []
        self._feeds: list[Feed] = []
        self._settled = asyncio.Event()
        self._lock = threading.Lock()
        self._wakes: dict[object, Callable[[], None]] = {}
        self._holders: set[str] = set()
        self._linger: asyncio.TimerHandle | None = None
        self._waking: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._woken = 0.0

    def start(self) -> None:
        """Look for the pods."""
        spec = self.spec
        names: tuple[str, ...] = spec.names if len(spec.names) <= NAMED_PODS else ()
        for name in names or ("",):
            field = f"{NAME_FIELD}{name}" if name else ""
            wanted = StreamSpec(
                spec.connection, spec.clusters, "pods", spec.namespaces, spec.selector, field, spec.user
            )
            self._open(wanted)
        self._schedule_end()

    # --- pods -----------------------------------------------------------------------------------------------------

    def _open(self, wanted: StreamSpec) -> None:
        if self.closed:
            return
        stream = self._endpoint.by_id[self._endpoint.open_stream(wanted)]
        stream.hold(self.id)
        self._streams.append(stream)
        self._feeds.append(stream.feed(self._look, initial=True))

    def _look(self) -> None:
        """The pods, or what is known of their clusters, have changed."""
        if self.closed:
            return
        for stream, feed in list(zip(self._streams, self._feeds, strict=True)):
            if stream.closed:  # somebody else who had it has closed it
                self._streams.remove(stream)
                self._feeds.remove(feed)
                asyncio.get_running_loop().call_soon(self._open, stream.spec)
            for kind, alias, new, old in feed.drain():
                record = new or old
                if record is None or not self._is_wanted(record.name):
                    continue
                key = (alias, record.uid)
                if kind == "DELETED":
                    self._gone(key)
                elif (pod := read_pod(record.object)) is not None:
                    self._seen(key, pod)
        self._askings.look(self._streams)
        self._looked()

    def _looked(self) -> None:
        self._admit()
        self._problems()
        self._check()
        self.moved()

    def _asked(self, alias: str, name: str, found: Found) -> None:
        """A pod was read that may not be watched."""
        for key, known in list(self._pods.items()):
            pod = known.pod
            if key[0] == alias and pod.name == name and pod.namespace in found and not known.gone:
                now = found[pod.namespace]
                if now is None or now.uid != pod.uid:
                    self._gone(key)
        for pod_ in found.values():
            if pod_ is not None:
                self._seen((alias, pod_.uid), pod_)
        self._looked()

    def _is_wanted(self, name: str) -> bool:
        if self.spec.names and name not in self.spec.names:
            return False
        return self._pattern is None or self._pattern.search(name) is not None

    def _seen(self, key: tuple[str, str], pod: Pod) -> None:
        known = self._pods.get(key)
        if known is None:
            if self._settled.is_set() and not self.spec.follow:
                return
            ref = next(ref for alias, ref, _ in self.spec.clusters if alias == key[0])
            known = self._pods[key] = Known(key[0], ref, pod)
        known.pod, known.gone = pod, False
        if known.admitted:
            self._tell(known)

    def _gone(self, key: tuple[str, str]) -> None:
        known = self._pods.get(key)
        if known is None:
            return
        known.gone = True
        if not known.admitted:
            del self._pods[key]
        for one in known.logs.values():
            one.tail.gone()
            one.drive()

    def _admit(self) -> None:
        """Begin to read the pods there is room for, of the clusters whose pods are known."""
        ready = {m.alias for stream in self._streams for m in stream.members if is_synced(m)} | self._askings.clusters
        waiting = [known for known in self._pods.values() if not known.admitted and known.alias in ready]
        if not waiting:
            if self.left_out:
                self.left_out = ()
            return
        self._forget()
        room = self.spec.max_pods - sum(known.active for known in self._pods.values())
        waiting.sort(key=lambda known: (known.pod.over, known.pod.name))
        for known in waiting[: max(0, room)]:
            known.admitted = True
            self._tell(known)
            if self._settled.is_set() and known.logs:
                one = next(iter(known.logs.values()))
                self.mark(one, "joined", f"pod {known.pod.name} has come", 0, {})
        left_out = tuple(known.pod.name for known in waiting[max(0, room) :])
        if left_out and not self.left_out and self.sources:
            shown = ", ".join(left_out[:SHOWN_NAMES]) + (", …" if len(left_out) > SHOWN_NAMES else "")
            what = f"{len(left_out)} more pods are not read, for {self.spec.max_pods} are: {shown}"
            self.mark(self.sources[0], "bound", what, 0, {"todo": "give a higher max_pods=, or select fewer"})
        self.left_out = left_out

    def _forget(self) -> None:
        """Pods that have gone, none of whose lines is kept any more: others will have their places."""
        for key, known in list(self._pods.items()):
            if known.gone and not known.active and all(one.last < self.store.oldest for one in known.logs.values()):
                del self._pods[key]
                for one in known.logs.values():
                    one.close()
                    self._free.append((time.monotonic(), one.index))

    def _place(self) -> int:
        """For one more container."""
        if self._free and time.monotonic() - self._free[0][0] >= PLACE_SECONDS:
            return self._free.popleft()[1]
        return len(self.sources)

    def _tell(self, known: Known) -> None:
        """Begin to read a pod's containers that are not read yet, and tell all how theirs stand."""
        pod = known.pod
        for name, kind in pod.containers:
            if name not in known.logs and self._is_chosen(name, kind):
                known.logs[name] = self._source(known, name, kind)
        for name, one in known.logs.items():
            instance = pod.instances.get(name)
            if instance is not None:
                one.tail.pod(instance)
                one.drive()

    def _is_chosen(self, name: str, kind: str) -> bool:
        return kind == "container" if self._container is None else self._container.search(name) is not None

    def _source(self, known: Known, container: str, kind: str) -> Following:
        spec, pod, index = self.spec, known.pod, self._place()
        about = {
            "cluster": known.alias,
            "namespace": pod.namespace,
            "pod": pod.name,
            "container": container,
            "kind": kind,
            "uid": pod.uid,
            "color": index,
            "index": index,
            "ref": known.ref,
        }
        path = f"{path_of(pod)}/log"
        one = Following(
            self._endpoint.connection, self, about, path, spec.user,
            tail=spec.tail, since=spec.since, previous=spec.previous, follow=spec.follow,
        )  # fmt: skip
        self.sources[index : index + 1] = [one]
        return one

    def _problems(self) -> None:
        """What keeps pods from being known, in the first cluster that has such; or that no container is meant."""
        self.problem = None
        for stream in self._streams:
            for member in stream.members:
                at = member.state()
                if at.code is not None and not at.synced and member.alias not in self._askings.clusters:
                    what = f"the pods of cluster {member.alias} are not known: {at.reason}"
                    self.problem = {"code": at.code, "what": what, "said": at.said, "todo": at.todo}
                    return
        admitted = [known for known in self._pods.values() if known.admitted]
        if admitted and not self.sources:
            names = list(dict.fromkeys(name for known in admitted for name, _ in known.pod.containers))
            shown = ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")
            what = f"no container of {len(admitted)} pods matches {self.spec.container!r}"
            if len(admitted) == 1:
                what = f"no container of pod {admitted[0].pod.name} matches {self.spec.container!r}"
            self.problem = {"code": "not-found", "what": what, "said": None, "todo": f"there are: {shown}"}

    # --- what the containers' logs tell -----------------------------------------------------------------------------

    def take(self, source: Following, batch: Batch) -> None:
        """Lines of one container."""
        stamps, texts = batch.stamps, batch.texts
        flags = source.reader.read(stamps, texts)
        for at in batch.cut:
            flags[at] |= CUT
        if self._filter:
            most = self._filter.most
            kept = [at for at, text in enumerate(texts) if self._is_kept(source, text, flags[at])]
            if self._filter.most < most:
                what = (
                    f"include= or exclude= is slow: of a line only its first {self._filter.most:,} bytes are looked at"
                )
                self.mark(source, "bound", what, stamps[-1], {"todo": "give a simpler regular expression"})
            stamps, texts, flags = ([column[at] for at in kept] for column in (stamps, texts, flags))  # type: ignore[assignment]
        if texts:
            source.count += len(texts)
            self._keep(source, stamps, flags, texts)

    def _is_kept(self, source: Following, text: bytes, flags: int) -> bool:
        kept = self._filter.keeps(text, flags, source.kept)
        if not flags & CONTINUED:
            source.kept = kept
        return kept

    def mark(self, source: Following, kind: str, text: str, moment: int, more: dict[str, str]) -> None:
        """A word of ours among the lines."""
        flags = MARK | MARK_LEVELS.get(kind, INFO)
        words = msgspec.json.encode({"mark": kind, "text": text, **more})
        self._keep(source, [moment or time.time_ns()], [flags], [words])

    def _keep(self, source: Following, stamps: Sequence[int], flags: Sequence[int], texts: Sequence[bytes]) -> None:
        self.store.add(source.index, stamps, flags, texts)
        source.last = self.store.end - 1
        self.moved()

    async def look(self, source: Following) -> None:
        """Read a pod afresh, and tell the tails of its containers."""
        about = source.about
        known = self._pods.get((about["cluster"], about["uid"]))
        if known is None:
            return
        try:
            status, _, body = await self._endpoint.http(
                known.ref, "GET", path_of(known.pod), "", user=self.spec.user, timeout=LOOK_SECONDS
            )
        except Failure:
            return
        pod = read_pod(body) if status == 200 else None
        if status == 404 or (pod is not None and pod.uid != about["uid"]):
            self._gone((about["cluster"], about["uid"]))
        elif pod is not None and not self.closed:
            known.pod = pod
            for name, one in known.logs.items():
                if name in pod.instances:
                    one.tail.pod(pod.instances[name])

    def cluster(self, source: Following) -> str:
        """The ref of its cluster now."""
        return self._endpoint.current_ref(source.about["ref"])

    def watch(self) -> None:
        """A tail wants its `tick`."""
        if self._ticking is None and not self.closed:
            self._ticking = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        if any([one.tick() for one in self.sources]):  # noqa: C419 - each of them
            self.watch()
        self._check()

    def moved(self) -> None:
        """Something is new: wake the readers, a little later if they were woken just now."""
        self.version += 1
        if self._waking is None and self._wakes:
            wait = max(0.0, self._woken + WAKE_SECONDS - time.monotonic())
            self._waking = asyncio.get_running_loop().call_later(wait, self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._woken = time.monotonic()
        for wake in list(self._wakes.values()):
            wake()

    # --- readers, from any thread -----------------------------------------------------------------------------------

    def _check(self) -> None:
        """Whether all is known that was asked for first; room that has become free."""
        if not self._settled.is_set():
            known = all(member.settled for stream in self._streams for member in stream.members)
            if known and self._askings.answered and all(one.tail.settled for one in self.sources):
                self._settled.set()
                if not self.spec.follow:
                    self._let_go()
                self.moved()
        elif self.left_out and self.spec.follow:
            before = self.left_out
            self._admit()
            if before != self.left_out:
                self.moved()

    async def settled(self) -> None:
        """Until the pods are known, and each container that was asked first has answered, failed or ended once."""
        await self._settled.wait()

    def state(self) -> LogsState:
        """How it stands; any thread may call."""
        sources = [one.view() for one in list(self.sources)]
        for source in sources:
            del source["ref"], source["index"]
        return {
            "version": self.version,
            "sources": sources,
            "pods": len({(s["cluster"], s["uid"]) for s in sources}),
            "left_out": list(self.left_out),
            **self.store.counts(),
            "settled": self._settled.is_set(),
            "closed": self.closed,
            "problem": self.problem,
            "note": self._askings.note,
        }

    def stats(self) -> dict[str, Any]:
        """Counts for the status; any thread may call."""
        states = Counter(one.tail.state for one in list(self.sources))
        pods = len({(one.about["cluster"], one.about["uid"]) for one in list(self.sources)})
        return {
            "id": self.id,
            "pods": pods,
            "states": dict(states),
            "holders": len(self._holders),
            **self.store.counts(),
        }

    def read(self, after: int, most: int) -> LogsRead:
        """Lines numbered above `after`, the oldest first; any thread may call."""
        return self.store.read(after, most)

    def feed(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called on the loop's thread when lines or the state are new; returns the undo."""
        own = object()
        with self._lock:
            self._wakes[own] = wake

        def undo() -> None:
            with self._lock:
                self._wakes.pop(own, None)

        return undo

    def hold(self, holder: str) -> None:
        """Keep it while this holder has it; any thread may call."""
        with self._lock:
            self._holders.add(holder)

    def release(self, holder: str) -> None:
        """This holder has gone; any thread may call."""
        with self._lock:
            self._holders.discard(holder)
            last = not self._holders
        if last:
            self._endpoint.thread.call(self._schedule_end)

    @property
    def held(self) -> bool:
        """Whether anybody has it."""
        return bool(self._holders)

    # --- the end ----------------------------------------------------------------------------------------------------

    def hurry(self) -> None:
        """Try again now, whatever waits."""
        for one in self.sources:
            one.tail.hurry()
            one.drive()

    def _schedule_end(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
        self._linger = asyncio.get_running_loop().call_later(self._endpoint.linger_seconds, self._end_if_unheld)

    def _end_if_unheld(self) -> None:
        if not self._holders:
            self.close()
            self._ended(self)

    def close(self) -> None:
        """End all requests; what was read stays readable for who holds it. Idempotent."""
        if self.closed:
            return
        self.closed = True
        for handle in (self._linger, self._ticking):
            if handle is not None:
                handle.cancel()
        for one in self.sources:
            one.close()
        self._let_go()
        self._settled.set()
        self.moved()
        if not self._holders:
            self._ended(self)

    def _let_go(self) -> None:
        """Of the pods: no more will join."""
        for feed in self._feeds:
            feed.close()
        for stream in self._streams:
            stream.release(self.id)
        self._askings.close()
        self._feeds, self._streams = [], []

    def unlock(self) -> None:
        """In a forked child: the parent's locks may have been held at the fork."""
        self._lock = threading.Lock()
        self.store.unlock()
