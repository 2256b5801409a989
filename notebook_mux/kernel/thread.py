"""The one thread and event loop that belong to notebook_mux inside a kernel."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

START_SECONDS = 10.0
"""A thread that has not started its loop by then never will."""


class LoopThread:
    """A daemon thread that runs an event loop until `stop`.

    Nothing of the user's runs on it, and nothing of ours on the user's loop.
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._seconds = 0.0
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name=name, daemon=True)
        self._thread.start()
        if not started.wait(START_SECONDS):
            raise RuntimeError("the event loop of notebook_mux did not start")

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(started.set)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    @property
    def here(self) -> bool:
        """Whether the caller is on this thread, where nothing may wait for it."""
        return threading.current_thread() is self._thread

    @property
    def seconds(self) -> float:
        """CPU that the thread has used, as of the last time this was asked; any thread may ask."""
        self.call(self._look_at_clock)
        return self._seconds

    def _look_at_clock(self) -> None:
        self._seconds = time.thread_time()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; any thread may call.

        Raises:
            RuntimeError: The loop has ended; the coroutine never begins.
        """
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        except RuntimeError:
            coroutine.close()  # or it would be said to be forgotten, wherever garbage is collected next
            raise

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the loop, soon; any thread may call; nothing happens once the loop has ended."""
        _call(self.loop, function, *arguments)

    def stop(self, timeout: float) -> None:
        """Cancel what runs, end the loop and wait `timeout` seconds for the thread; any other thread may call."""

        async def wind_down() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.loop.call_soon(self.loop.stop)

        if self._thread.is_alive():
            self.call(lambda: self.loop.create_task(wind_down()))
            self._thread.join(timeout)


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run a blocking function in a daemon thread of its own.

    The loop's executor is not used: its threads are joined at the interpreter's end, so a kernel could not end
    while a gateway starts slowly.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # a T where there is no error

    def work() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as caught:  # noqa: BLE001 - carried to the awaiting task
            error = caught
        _call(loop, settle, result, error)  # nothing, where who waited has gone with its loop

    threading.Thread(target=work, name="notebook_mux helper", daemon=True).start()
    return await future


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        if not loop.is_closed():
            raise
