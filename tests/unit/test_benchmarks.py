"""Each benchmark still runs, in a size that says nothing about speed."""

from __future__ import annotations

import itertools
import json
import math
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings, strategies as st
from websockets import Subprotocol
from websockets.asyncio.client import connect

from notebook_mux.wire.frames import MAX_PAYLOAD, Channel, Kind, Position, encode_frame, encode_position, encode_record
from notebook_mux.wire.remotecommand import V5, outcome
from notebook_mux.wire.sending import binary_head
from tests.benchmarks import __main__ as command, bare_grid, field, forward, table
from tests.benchmarks.pods import COLUMNS, Population
from tests.benchmarks.processes import Child
from tests.benchmarks.scale import TINY
from tests.benchmarks.subscribers import Hops
from tests.browser import chromium
from tests.conftest import need


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", command.GROUPS)
def test_a_group_gives_its_figures(group):
    if group in ("browser", "table", "terminal", "logs"):
        need(None if chromium.path() else chromium.NONE)
    if group == "table":
        need(bare_grid.why_not())
    if group == "field":
        need(field.why_not())
    if group == "forward":
        need(forward.why_not())
    rows, failures = command.run([group], TINY)
    assert failures == []
    assert rows
    for row in rows:
        assert math.isfinite(row.ours)
        assert row.figure in table.text(rows)


def test_pods_are_of_a_real_size_and_shape():
    population = Population(200)
    for pod in population.pods:
        assert 4_000 < len(population.object(pod)) < 6_000
        assert len(json.loads(population.cells(pod))) == len(COLUMNS)
    pod = population.change()
    content = json.loads(population.object(pod))
    assert content["metadata"]["uid"] == pod.uid
    assert content["metadata"]["resourceVersion"] == str(population.version)
    assert content["metadata"]["managedFields"]
    assert content["status"]["containerStatuses"][0]["restartCount"] == 1


def spoken() -> tuple[bytes, int, int]:
    """What a gateway sends in frames of all lengths, with how many records and which version last."""
    said = b""
    for text in (b"{}", b"x" * 200):
        said += b"\x81" + binary_head(len(text))[1:] + text
    begin = encode_position(Kind.BEGIN, 1, Position("i", "n", "v"))
    empty = encode_record(Kind.PUT, 1, "u", "ns", "n", "100", "", 1.0, b"[]", b"")
    sizes = [[0], [3, 0, 100], [900] * 9, [MAX_PAYLOAD - len(begin) - len(empty)]]
    for number, frame in enumerate(sizes, 100):
        records = [encode_record(Kind.PUT, 1, "u", "ns", "n", str(number), "", 1.0, b"[]", bytes(n)) for n in frame]
        payload = begin + b"".join(records)
        said += binary_head(len(payload) + 5) + encode_frame(7, Channel.CHANGES, payload) + b"\x81\x02{}"
    said += binary_head(7) + encode_frame(8, Channel.BODY, b"{}")
    return said, sum(map(len, sizes)), 103


SPOKEN = spoken()


@given(st.lists(st.integers(0, len(SPOKEN[0])), max_size=30))
@example(list(range(len(SPOKEN[0]))))
@settings(deadline=None)
def test_the_readers_of_a_benchmark_count_right_wherever_the_bytes_are_cut(places):
    said, records, version = SPOKEN
    hops, cuts = Hops(), [0, *sorted(places), len(said)]
    for start, end in itertools.pairwise(cuts):
        hops.take(said[start:end])
    assert (hops.records, hops.version) == (records, version)


async def talk(said: dict[str, Any], words: str, typed: tuple[bytes, ...] = ()) -> tuple[bytes, dict[str, Any]]:
    """Run a program at the scripted API server: its output, and its Status."""
    trusted = ssl.create_default_context(cafile=str(Path(said["kubeconfig"]).with_name("ca.crt")))
    command = "&".join(f"command={quote(word)}" for word in words.split("|"))
    url = f"wss://127.0.0.1:{said['port']}/api/v1/namespaces/team-00/pods/web/exec?tty=true&{command}"
    output = b""
    async with connect(url, ssl=trusted, subprotocols=[Subprotocol(V5)], max_size=None) as socket:
        assert await socket.recv() == b"\x01"
        for key in typed:
            await socket.send(key)
        async for message in socket:
            assert isinstance(message, bytes)
            if message[:1] == b"\x03":
                return output, json.loads(message[1:])
            output += message[1:]
    raise AssertionError("no Status")


async def test_the_scripted_api_server_runs_programs(tmp_path):
    with Child("tests.benchmarks.scripted_exec", {"pods": 1, "folder": str(tmp_path)}) as api:
        said = api.hear()
        output, status = await talk(
            said, "sh|-c|read x; stty size; exit 3", (b'\x04{"Width":71,"Height":9}', b"\x00go\r")
        )
        assert output == b"go\r\n9 71\r\n"
        assert outcome(json.dumps(status).encode()).code == 3
        zeros, status = await talk(said, f"head|-c|{1 << 20}|/dev/zero")
        assert (zeros, status["status"]) == (bytes(1 << 20), "Success")
        _, status = await talk(said, "no-such-program")
        assert "executable file not found" in status["message"]
        assert api.ask(counts=True)["running"] == 0


def test_the_table_says_what_is_over_its_bound():
    rows = [
        table.Row("a", "within", 1.4, "s", "floor", 1.0, 1.5),
        table.Row("a", "over", 1.6, "s", "floor", 1.0, 1.5),
        table.Row("a", "nothing allowed", 0.0, "", bound=0.0),
        table.Row("a", "no bound", 5.0, "s"),
    ]
    assert [row.verdict for row in rows] == ["ok", "OVER", "ok", ""]
    shown = table.text(rows, [table.Failed("b", "no such thing")])
    assert "OVER" in shown
    assert "NOT MEASURED: no such thing" in shown
    assert json.dumps(table.plain(rows))
