from __future__ import annotations

import json
from base64 import b64encode

from notebook_mux.gateway.headlamp.answers import Frames, Why, binary_text, event_text
from notebook_mux.wire import headlamp as wire

FRAMES = Frames("c", "/api/v1/pods", "watch=1", "u.7")


def fields(frame: bytes) -> dict[str, object]:
    return dict(json.loads(frame))


def test_a_status_names_its_query_where_no_client_takes_it_for_an_event():
    assert fields(FRAMES.status("connected")) == {
        "clusterId": "c", "path": "/api/v1/pods", "query": "", "userId": "u.7", "type": "STATUS",
        "data": '{"state":"connected","error":"","query":"watch=1"}',
    }  # fmt: skip
    assert wire.state_of(wire.decode(FRAMES.status("closed", Why("it broke")))) == wire.State("closed", "it broke")
    assert fields(Frames("c", "/p", "", "u").status("connected"))["query"] == "?"


def test_an_error_has_the_servers_code_and_reason_if_it_gave_them():
    said = json.loads(wire.decode(FRAMES.error(Why("no", 403, "Forbidden"))).data)
    assert said == {"error": "no", "code": 403, "reason": "Forbidden"}
    assert json.loads(wire.decode(FRAMES.error(Why("no"))).data) == {"error": "no"}


def test_complete_is_as_headlamp_has_it():
    assert FRAMES.complete() == (
        b'{"clusterId":"c","path":"/api/v1/pods","query":"watch=1","userId":"u.7","type":"COMPLETE"}'
    )


def test_data_is_text_or_base64():
    line = '{"a":"é\\u2028\\"<&>"}'.encode()
    found = wire.decode(FRAMES.data(event_text(line)))
    assert (found.payload(), found.binary) == (line, False)
    every = bytes(range(256))
    found = wire.decode(FRAMES.data(binary_text(every), binary=True))
    assert (found.payload(), found.data) == (every, b64encode(every).decode())
    assert "data" not in fields(FRAMES.data(binary_text(b""), binary=True))
    assert wire.decode(FRAMES.data(event_text(b"\xff"))).data == "\ufffd"
