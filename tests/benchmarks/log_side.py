"""A notebook's side of the first lines: connected before, then one call of `nm.logs` until each pod has a line."""

from __future__ import annotations

import time

from tests.benchmarks.processes import arguments, say

POLL_SECONDS = 0.001
LATE_SECONDS = 60.0


def main(url: str, pods: int) -> None:
    """Measure once and say it."""
    import notebook_mux as nm

    nm.connect(url=url)
    began = time.monotonic()
    logs = nm.logs(None, selector="app=first", tail=10)
    while len({line.pod for line in logs.lines if not line.mark}) < pods:
        if time.monotonic() - began > LATE_SECONDS:
            raise RuntimeError(f"not each of {pods} pods has a line: {logs!r}")
        time.sleep(POLL_SECONDS)
    say(seconds=time.monotonic() - began)
    nm.close()


if __name__ == "__main__":
    main(**arguments())
