from __future__ import annotations

import math
import threading
import time

from notebook_mux.widgets.pump import BURST, Pump


class Widget:
    def __init__(self, *answers: tuple[bool, float]) -> None:
        self.answers = list(answers)
        self.turns: list[float] = []
        self.called = threading.Event()

    def turn(self, now: float) -> tuple[bool, float]:
        self.turns.append(now)
        self.called.set()
        return self.answers.pop(0) if self.answers else (False, math.inf)


class Idle(Pump):
    """A pump whose thread does nothing: a test takes the steps."""

    def _run(self) -> None:
        return


def pump(rate: float = 10.0) -> tuple[Idle, list[float]]:
    clock = [0.0]
    return Idle(clock=lambda: clock[0], rate=rate), clock


def test_a_poked_widget_gets_a_turn_and_its_next_when_it_asked_for_it():
    made, _ = pump()
    widget = Widget((True, 0.05), (False, math.inf))
    made.poke(widget)
    assert made._step(0.0) == 0.05
    assert widget.turns == [0.0]
    assert made._step(0.01) > 0
    assert widget.turns == [0.0]
    assert made._step(0.05) == math.inf
    assert widget.turns == [0.0, 0.05]


def test_pokes_before_a_turn_are_one():
    made, _ = pump()
    widget = Widget()
    for _ in range(5):
        made.poke(widget)
    made._step(0.0)
    assert len(widget.turns) == 1


def test_a_poke_comes_before_a_turn_that_is_due_later():
    made, _ = pump()
    widget = Widget((True, 60.0), (True, 70.0))
    made.poke(widget)
    made._step(0.0)
    made.poke(widget)
    made._step(1.0)
    assert widget.turns == [0.0, 1.0]
    made._step(60.0)  # the turn of before was replaced
    assert widget.turns == [0.0, 1.0]


def test_all_widgets_together_keep_the_rate():
    made, _ = pump(rate=10.0)

    class Greedy(Widget):
        def turn(self, now: float) -> tuple[bool, float]:
            super().turn(now)
            return True, now

    widgets = [Greedy() for _ in range(3)]
    for widget in widgets:
        made.poke(widget)
    assert made._step(0.0) > 0
    assert sum(len(w.turns) for w in widgets) == BURST
    made._step(1.0)
    assert sum(len(w.turns) for w in widgets) == BURST + 10
    assert min(len(w.turns) for w in widgets) > 0


def test_a_widget_that_fails_costs_the_others_nothing(caplog):
    made, _ = pump()

    class Broken(Widget):
        def turn(self, now: float) -> tuple[bool, float]:
            raise RuntimeError("no")

    broken, sound = Broken(), Widget()
    made.poke(broken)
    made.poke(sound)
    made._step(0.0)
    assert sound.turns
    assert "could not send" in caplog.text


def test_the_thread_starts_with_the_first_poke_and_again_after_a_fork():
    made = Pump()
    widget = Widget()
    made.poke(widget)
    assert widget.called.wait(30)
    made.after_fork()
    widget.called.clear()
    made.poke(widget)
    assert widget.called.wait(30)


def test_a_widget_that_nobody_has_is_let_go():
    made, _ = pump()
    widget = Widget((True, 1.0))
    made.poke(widget)
    made._step(0.0)
    del widget
    assert made._step(1.0) == math.inf


def test_a_turn_that_is_due_comes_by_itself():
    made = Pump()
    done = threading.Event()

    class Twice(Widget):
        def turn(self, now: float) -> tuple[bool, float]:
            super().turn(now)
            if len(self.turns) == 2:
                done.set()
                return True, math.inf
            return True, time.monotonic() + 0.02

    widget = Twice()
    made.poke(widget)
    assert done.wait(30)
