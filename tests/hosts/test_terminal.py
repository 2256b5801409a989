"""No browser at all: what is shown is text, with the rows in it, and errors are two to five lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.playground import RunningPlayground

pytestmark = pytest.mark.timeout(180)


def connect(playground: RunningPlayground) -> str:
    return f"import notebook_mux as nm; m = nm.connect(kubeconfig={str(playground.kubeconfig)!r})"


def test_ipython(host: Callable[..., str], still_look: RunningPlayground):
    lines = [connect(still_look), "m", "nm.table('pods', filter='crash')", "nm.watch('pods')", "nm.get('podz')"]
    shown = host(
        "-m",
        "IPython",
        "--simple-prompt",
        "--colors=NoColor",
        "--no-banner",
        said="\n".join([*lines, "nm.close()", ""]),
    )
    assert "demo: live" in shown
    assert "pods in default · 1 row · filter: crash · as of" in shown
    assert "CrashLoopBackOff" in shown
    assert "UnknownKind: the cluster serves no kind 'podz'" in shown
    assert "did you mean" in shown
    assert "Traceback" not in shown
    assert "<style>" not in shown


def test_python(host: Callable[..., str], still_look: RunningPlayground):
    words = f"{connect(still_look)}; print(m); print(nm.table('pods')); print(len(nm.watch('pods')) > 3); nm.close()"
    shown = host("-W", "error", "-c", words).splitlines()
    assert shown == ["<Manager of demo live: open>", "<Table of pods in default>", "True"]
