"""The public names and their signatures: what a notebook may rely on."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux import aio, errors

SIGNATURES = {
    "connect": "(*contexts, url=None, kubeconfig=None, namespace=None, write=None, user_id=None, timeout=30.0)",
    "demo": "(scenario='first-look', *, seed=0, clusters=1, reset=False, env=False)",
    "get": "(kind, name=None, *, namespace=None, cluster=None, selector=None, field_selector=None)",
    "watch": "(kind, *, namespace=None, cluster=None, selector=None, field_selector=None, timeout=10.0)",
    "table": "(what, *, name=None, columns=None, labels=(), wide=False, usage=False, filter='', faults=False, "
    "sort=None, group=None, height=400, **watch)",
    "status": "()",
    "contexts": "(kubeconfig=None)",
    "kinds": "(cluster=None, match=None)",
    "doctor": "(cluster=None, *, kubeconfig=None)",
    "kubeconfig": "()",
    "exec": "(target, command, *, container=None, stdin=None, text=False, check=False, timeout=30.0, namespace=None, "
    "cluster=None)",
    "shell": "(target, command=None, *, container=None, image=None, attach=False, name=None, namespace=None, "
    "cluster=None)",
    "port_forward": "(target, port, *, namespace=None, cluster=None)",
    "logs": "(target, *, selector=None, container=None, since=None, tail=100, previous=False, follow=True, "
    "include=None, exclude=None, max_pods=50, namespace=None, cluster=None)",
    "events": "(target=None, *, warnings=False, namespace=None, cluster=None)",
    "expect": "(target=None, *, ready=None, count=None, exists=None, image=None, condition=None, field=None, "
    "equals=Ellipsis, endpoints=None, answers=None, port=None, path='/', can=(), cannot=(), that=None, value=Ellipsis, "
    "sha=None, name=None, hints=(), selector=None, timeout=60.0, namespace=None, cluster=None)",
    "apply": "(manifest, *, dry_run=False, force=False, namespace=None, cluster=None)",
    "scale": "(target, replicas, *, dry_run=False, namespace=None, cluster=None)",
    "restart": "(target, *, dry_run=False, namespace=None, cluster=None)",
    "delete": "(target, *, cascade='background', grace=None, dry_run=False, namespace=None, cluster=None)",
    "plug": "(name='plug', *, namespace=None, cluster=None)",
    "close": "()",
    "run": "(coroutine)",
}

CLASSES = {
    "Stream": {
        "change": "on_change changes wait close closed",
        "read": "rows columns objects df synced clusters get",
    },
    "Events": {
        "stream": "rows columns objects df synced clusters get on_change changes wait close closed",
        "own": "folded notes",
    },
    "Folded": {
        "object": "cluster namespace kind name container object owners",
        "event": "type reason message warning count first last span source events",
    },
    "Snapshot": {"read": "rows columns objects df synced clusters get"},
    "Manager": {
        "state": "state reason url clusters streams stats retry close",
        "functions": "get watch table exec shell port_forward logs events expect plug status kubeconfig "
        "apply scale restart delete",
    },
    "Completed": {"all": "args stdout stderr returncode pod check_returncode"},
    "Forward": {
        "where": "host port url target cluster pod pod_port jupyter_url",
        "how": "state reason connections total bytes errors error closed close on_change",
    },
    "Logs": {
        "how": "title state reason sources left_out dropped masked closed",
        "read": "lines df text save follow wait close",
    },
    "Line": {"all": "ns time stamp cluster namespace pod container level text mark number cut fields"},
    "Change": {"all": "type object old cluster"},
    "Check": {"all": "ok seen took text"},
    "Plug": {
        "account": "lost repeated received longest_gap cuts rows columns text df",
        "own": "cut kill_gateway on_change close closed",
    },
    "Cut": {"all": "what at back"},
    "Listing": {"all": "rows columns notes text df"},
    "KubectlResult": {
        "read": "tables rows columns df data check_returncode",
    },
    "Outcome": {"all": "rows columns notes text df diff objects dry_run"},
    "Report": {"all": "rows columns notes text df ok"},
    "Rows": {"own": "filter"},
    "Object": {"own": "name namespace kind cluster yaml copy"},
}

METHODS = {
    "Stream.wait": "(self, until, of='all', timeout=60.0)",
    "Stream.changes": "(self, initial=True)",
    "Stream.on_change": "(self, callback, initial=True)",
    "Stream.close": "(self)",
    "Stream.df": "(self, text=False)",
    "Stream.get": "(self, key, default=None)",
    "Logs.df": "(self, fields=False, *, marks=False)",
    "Logs.follow": "(self, initial=True)",
    "Logs.wait": "(self, until, timeout=60.0)",
    "Logs.text": "(self, *, masked=None, last=None)",
    "Logs.save": "(self, path, *, masked=None)",
    "Events.df": "(self, text=False, folded=False)",
    "Object.yaml": "(self, *, show_secrets=False)",
    "Manager.retry": "(self)",
    "Manager.close": "(self)",
    "Demo.speed": "(self, factor)",
    "Demo.pause": "(self)",
    "Demo.resume": "(self)",
    "Demo.step": "(self, seconds=None)",
    "Demo.reset": "(self)",
    "Demo.chosen": "(self, cluster=None)",
}


def bare(function: Any) -> str:
    """A signature without its types."""
    signature = inspect.signature(function)
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def test_the_names() -> None:
    listed = (
        "Change Check Completed Cut Demo Events Folded Forward KubectlResult Line Listing Logs Manager Object Outcome "
        "Plug Report Rows Snapshot Status Stream Table Terminal"
    )
    classes = set(listed.split())
    trees = {name for name in errors.__all__ if name != "from_code"}
    assert set(nm.__all__) == {"__version__", "aio", "errors", *SIGNATURES, *classes, *trees} - {"exec"}
    assert len(nm.__all__) == len(set(nm.__all__))
    assert set(nm.__all__) <= set(dir(nm))
    for name in (*nm.__all__, "exec"):
        assert name in dir(nm)
        assert getattr(nm, name) is not None


def test_a_star_import_hides_no_builtin() -> None:
    import builtins

    assert not set(nm.__all__) & {name for name in dir(builtins) if not name.startswith("_")}


def test_a_name_is_not_there_until_it_works() -> None:
    later = "login"
    for name in later.split():
        assert name not in nm.__all__
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(nm, name)


def test_no_module_stands_in_the_way_of_a_function() -> None:
    # A submodule becomes an attribute of the package when it is imported, and then hides the lazy name.
    inside = Path(nm.__file__).parent
    modules = {path.stem for path in inside.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    later = ["logs", "events", "contexts", "kinds", "doctor"]
    assert not modules & {*SIGNATURES, *later}


@pytest.mark.parametrize("name", SIGNATURES)
def test_functions(name: str) -> None:
    assert bare(getattr(nm, name)) == SIGNATURES[name]
    assert bare(getattr(aio, name)) == SIGNATURES[name]
    assert inspect.iscoroutinefunction(getattr(aio, name))
    assert getattr(nm, name).__doc__


def test_the_awaitable_names() -> None:
    assert set(aio.__all__) == {*SIGNATURES, "wait"} - {"exec"}


@pytest.mark.parametrize("name", CLASSES)
def test_members_of_classes(name: str) -> None:
    kind = getattr(nm, name)
    wanted = {member for group in CLASSES[name].values() for member in group.split()}
    base = {member for builtin in (dict, list) if issubclass(kind, builtin) for member in dir(builtin)}
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    members = fields | {member for member in dir(kind) if not member.startswith("_") and member not in base - wanted}
    assert members - {"of"} == wanted


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str) -> None:
    kind, _, method = name.partition(".")
    assert bare(getattr(getattr(nm, kind), method)) == METHODS[name]


def test_errors_inherit_the_builtin_that_fits() -> None:
    fitting = {
        "InvalidArgument": ValueError,
        "BadFilter": ValueError,
        "BadScenario": ValueError,
        "BadSelector": ValueError,
        "NotFound": KeyError,
        "UnknownContext": LookupError,
        "UnknownKind": LookupError,
        "NoCluster": LookupError,
        "Ambiguous": LookupError,
        "LoginRequired": PermissionError,
        "Forbidden": PermissionError,
        "WriteRefused": PermissionError,
        "Unreachable": ConnectionError,
        "GatewayError": ConnectionError,
        "NotSynced": ConnectionError,
        "OutcomeUnknown": ConnectionError,
        "Conflict": RuntimeError,
        "PartlyDone": RuntimeError,
        "KubectlFailed": RuntimeError,
        "ProgramFailed": RuntimeError,
        "ExpectationFailed": AssertionError,
        "TimedOut": TimeoutError,
        "Closed": ValueError,
        "WrongThread": RuntimeError,
        "OutOfOrder": RuntimeError,
    }
    for name, builtin in fitting.items():
        kind = getattr(nm, name)
        assert issubclass(kind, builtin)
        assert issubclass(kind, nm.MuxError)
        error = kind("what happened", cluster="dev", said="the server's words", todo="do this")
        assert error._render_traceback_() == error.lines()
        assert str(error).splitlines()[0] == "what happened (cluster dev)"


def test_the_import_is_light() -> None:
    heavy = "ipywidgets anywidget aiohttp pandas websockets msgspec yaml IPython asyncio kubernetes nest_asyncio"
    code = f"import sys, notebook_mux; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "[]"
