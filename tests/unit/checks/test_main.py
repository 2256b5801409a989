"""The process that answers a question, as it is told to end."""

from __future__ import annotations

import subprocess
import sys

LIMIT_S = 60.0
"""For what takes a second, and never ended."""

HALF_WAY = """
import asyncio, signal
from notebook_mux.checks import __main__ as checks, doctor

async def examine(question, say):
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def end():
        signal.raise_signal(signal.SIGTERM)
        over.set_result(None)

    loop.call_soon(end)
    try:
        await asyncio.sleep(3600)
    finally:
        await over
        print("what it had started has ended", flush=True)

doctor.examine = examine
signal.signal(signal.SIGTERM, checks._ended)
try:
    checks.doctor({}, print)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_end_asked_for_in_the_middle_of_a_callback_leaves_it_whole():
    ran = subprocess.run([sys.executable, "-c", HALF_WAY], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ran.stdout == "what it had started has ended\ninterrupted\n", ran.stderr
