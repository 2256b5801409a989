from __future__ import annotations

from notebook_mux.tailing.lines import say_stamp
from tests.unit.tailing.test_tail import made, marks, texts


def test_a_node_that_does_not_answer_is_not_live_between_and_said_once() -> None:
    node, reading = made()
    node.write(b"one")
    reading.open()
    reading.take()
    reading.cut(0)
    tail = reading.tail
    seen = set()

    def ask(seconds: float) -> None:
        """A request that counts as begun after two seconds, though nobody has answered."""
        reading.pass_time(20.0)
        assert tail.due is not None
        tail.query()
        for second in range(round(seconds)):
            reading.pass_time(1.0)
            if second == 2:
                tail.answered()
            seen.add(tail.state)

    ask(30)
    tail.ended(500, "server", "no answer from the node", "dial tcp 10.0.0.1:10250: i/o timeout")
    assert tail.state == "unreachable"
    seen.clear()
    for _ in range(3):
        ask(30)
        tail.ended(500, "server", "no answer from the node", "dial tcp 10.0.0.1:10250: i/o timeout")
    assert seen == {"unreachable"}
    assert marks(reading) == ["failed"]
    ask(45)  # longer than an API server waits: the node is back, and the container is quiet
    assert tail.state == "live"
    tail.ended(500, "server", "no answer from the node", "again")
    ask(5)
    assert tail.state == "unreachable"
    node.write(b"two")
    assert not tail.data(b"".join(say_stamp(at).encode() + b" " + text + b"\n" for at, text in node.runs[-1].written))
    assert tail.state == "live"
    assert texts(reading) == [b"one", b"two"]
    assert marks(reading) == ["failed", "failed"]
    tail.ended(500, "server", "no answer from the node", "again")
    tail.cut("the socket is gone")
    assert (tail.state, tail.reason) == ("asking", "the socket is gone")
    ask(1)
    assert tail.state == "asking"
