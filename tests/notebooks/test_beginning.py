"""Beginning a lesson: on a cluster of its own, in a class, and nowhere else; and the order of its steps."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles import managers
from notebook_mux.lessons import begin, beginning, catalogue, numbers, step
from notebook_mux.lessons.running import Running
from notebook_mux.playground import discovery
from tests.classes import RunningClass
from tests.managers import close_all
from tests.notebooks import lessons
from tests.playground import RunningPlayground

pytestmark = pytest.mark.timeout(400)
URL = "NOTEBOOK_MUX_URL"


@pytest.fixture(autouse=True)
def _none_has_begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(beginning, "_running", None)
    yield
    close_all()  # or the students' sockets go on looking for the class's gateway when it has ended


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    """Lesson 03 as if it had begun, with no cluster."""
    manager: Any = SimpleNamespace(clusters={"demo": SimpleNamespace(namespace="default")})
    monkeypatch.setattr(managers, "default", lambda: manager)
    one = Running(catalogue.find("03"), 1, manager, shared=False)
    monkeypatch.setattr(beginning, "_running", one)
    return one


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClass]:
    running = RunningClass(tmp_path_factory.mktemp("class"), ["ann", "bob"])
    yield running
    running.stop()


# --- the order of steps -------------------------------------------------------------------------------------------


def test_nothing_has_begun():
    with pytest.raises(nm.OutOfOrder, match="Run the cell “Begin” first: the lesson has not begun in this kernel"):
        step(2)


def test_a_step_names_the_first_one_that_is_missing(running: Running):
    step(1)
    step(1)
    with pytest.raises(nm.OutOfOrder, match=r"Run the cells under “2\. Selectors” first: step 4 builds on them"):
        step(4)
    step(2)
    step(3)
    step(4)
    assert [row["Step"] for row in running._listing().rows if row[""] == "begun"] == [1, 2, 3, 4]


def test_a_kernel_that_has_gone_to_another_cluster_is_stopped(running: Running, monkeypatch: pytest.MonkeyPatch):
    step(1)
    monkeypatch.setattr(managers, "default", lambda: None)
    with pytest.raises(nm.OutOfOrder, match="Run the cell “Begin” first: this notebook has left the lesson's cluster"):
        step(1)


@pytest.mark.parametrize("number", [0, 7, "2", True, None])
def test_what_is_no_step(running: Running, number: Any):
    with pytest.raises(nm.InvalidArgument, match="lesson 03 has the steps 1 to 6"):
        step(number)


def test_words_that_are_no_lesson_no_seed_no_question(running: Running):
    with pytest.raises(nm.InvalidArgument, match="there is no lesson '3'"):
        begin("3")
    with pytest.raises(nm.InvalidArgument, match="seed='7' is no whole number"):
        begin("03", seed="7")  # type: ignore[arg-type]
    with pytest.raises(nm.InvalidArgument, match=r"asks no 'labels'[\s\S]*pods, service, label"):
        running.answer("labels")
    with pytest.raises(nm.InvalidArgument, match="lessons run in IPython"):
        running.apply("kind: Pod")


def test_a_seed_chooses_the_same_each_time_and_a_right_answer_does_not_show_itself(running: Running):
    for number in numbers():
        lesson = catalogue.find(number)
        assert lesson.given(5) == lesson.given(5)
        ways = math.prod(len(values) for values in lesson.choices.values())
        assert len({str(lesson.given(seed)) for seed in range(20)}) >= min(ways, 10)
        assert "{{" not in str(lesson.manifests(5))
    given = running.lesson.given(1)
    right = running.answer("label")
    assert right() == given["broken"] + given["typo"]
    assert right() not in repr(right)


# --- a class ------------------------------------------------------------------------------------------------------


def test_each_student_works_in_a_namespace_of_their_own_with_other_answers(
    room: RunningClass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    found = {}
    for name in ("ann", "bob"):
        monkeypatch.setenv(URL, room.link(name))
        lesson = begin("06", seed=1)
        assert lesson is begin("06", seed=1)
        assert lesson.namespace == name
        assert f"namespace {name} of your class" in repr(lesson)
        assert {one.namespace for one in nm.get("pods").objects} == {name}
        found[name] = (lesson.answer("pin")(), lesson.answer("address")())
        assert f"pin = {found[name][0]}\n" in nm.get("configmaps", "settings")["data"]["till.ini"]
    assert found["ann"][0] != found["bob"][0]
    assert found["ann"][1] != found["bob"][1]

    # Another seed: what the lesson had made gives way, and nothing else does.
    uids = {one.name: one["metadata"]["uid"] for one in nm.get("configmaps").objects}
    again = begin("06", seed=2)
    assert again is not lesson
    assert f"pin = {again.answer('pin')()}\n" in nm.get("configmaps", "settings")["data"]["till.ini"]
    changed = {one.name for one in nm.get("configmaps").objects if one["metadata"]["uid"] != uids[one.name]}
    assert changed == {"settings"}

    # And the whole of it, as a student does it.
    notebook = lessons.solve(lessons.seeded(lessons.read(lessons.FOLDER / "06_inside_a_container.ipynb"), 2), "06")
    lessons.client(notebook, tmp_path).execute()
    assert "namespace bob of your class" in str(lessons.code(notebook)[0].outputs)


def test_a_real_cluster_is_refused_and_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = RunningPlayground(tmp_path)
    monkeypatch.setitem(discovery.VERSION, "gitCommit", "8adc0f041b8e7ad1d30e29cc59c6ae7a15e19828")
    command = [sys.executable, "-m", "notebook_mux", "gateway", "--write", "--kubeconfig", str(real.kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gateway:
        try:
            assert gateway.stdout is not None
            url = re.search(r"http://\S+", gateway.stdout.readline())
            assert url is not None
            monkeypatch.setenv(URL, url[0])
            with pytest.raises(nm.InvalidArgument, match="a lesson never runs on a real cluster"):
                begin("03")
            assert managers.default() is None
            assert beginning._running is None
            assert not real.playground.cluster.store.items("deployments.apps", "default")
        finally:
            gateway.terminate()
            real.close()
