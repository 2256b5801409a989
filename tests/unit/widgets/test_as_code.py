from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from notebook_mux.widgets import as_code, as_filter
from notebook_mux.widgets.layouts import Layout
from notebook_mux.widgets.table import Table

from .conftest import NoPump
from .fake_manager import FakeManager
from .fakes import PODS, FakeStream


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


@pytest.fixture
def make(manager: FakeManager, pokes: NoPump) -> Iterator[Any]:
    """A table of pods; the arguments of `stream`, and settings."""
    made: list[Table] = []

    def table(*asked: Any, **settings: Any) -> Table:
        made.append(Table(manager.stream(*(asked or ("pods",))), **settings))
        return made[-1]

    yield table
    for one in made:
        one.close()


def cell(table: Table) -> str:
    first, empty, *rest = table.as_python().split("\n")
    assert (first, empty) == ("import notebook_mux as nm", "")
    return "\n".join(rest)


def test_only_what_is_not_the_default_is_said(make: Any) -> None:
    assert cell(make()) == 'nm.table("pods")'
    assert cell(make("pods", "*")) == 'nm.table("pods", namespace="*")'
    assert cell(make("pods", ["b", "a"], "prod-eu")) == 'nm.table("pods", namespace=["a", "b"], cluster="prod-eu")'


def test_all_that_can_be_set(make: Any) -> None:
    table = make(
        "pods", "prod", None, "app=api", "status.phase=Running", name="mine", wide=True, usage=True, labels=["app"],
        filter='web !"a b" /x\\d/', faults=True, sort="Status,-Age", group="label:app", height=300,
    )  # fmt: skip
    assert cell(table) == (
        'nm.table(\n    "pods",\n    namespace="prod",\n    selector="app=api",\n'
        '    field_selector="status.phase=Running",\n    name="mine",\n    labels=["app"],\n    wide=True,\n'
        '    usage=True,\n    filter="web !\\"a b\\" /x\\\\d/",\n    faults=True,\n    sort="Status,-Age",\n'
        '    group="label:app",\n    height=300,\n)'
    )


def test_the_sort_of_one_view(make: Any) -> None:
    assert 'sort="-Name"' in as_code.python(make("pods", sort="Age"), sort="-Name")
    assert "sort" not in as_code.python(make("pods", sort="Age"), sort="")


def test_columns_as_they_stand(make: Any) -> None:
    table = make("pods", columns=["Name", "Image:.spec.containers[0].image", ("Two: words", ".x")])
    assert cell(table).endswith('columns=["Name", "Image:.spec.containers[0].image", ("Two: words", ".x")])')
    table.apply(columns={"Name": None, "Long": lambda pod: len(pod.name)})
    assert "# the column Long is made by a function: add it to columns=" in table.as_python()
    assert 'columns=["Name"]' in table.as_python()
    table.apply(columns=["Name", "Image:.spec.image"], labels=["app"], usage=True)
    assert cell(table).endswith('columns=["Name", "Image:.spec.image"], labels=["app"], usage=True)')
    table.apply(columns=None, labels=(), usage=False)
    table._recall(table.stream._view())
    table._layout = Layout((), (), {"Name": 300})
    assert cell(table) == 'nm.table("pods")', "how wide a column is no cell says"
    table._layout = Layout(("Age", "Name"), ("Ready",), {})
    assert cell(table) == 'nm.table("pods", columns=["Age", "Name", "Status", "Restarts"])'


def test_what_connects_where_the_default_is_another(make: Any, manager: FakeManager) -> None:
    manager._is_default = False
    connecting = 'nm.connect("*", {"kind-a": "arn:aws:eks:a"}, kubeconfig="/home/me/other", write="kind-a")'
    assert cell(make()) == f'{connecting}\nnm.table("pods")'
    manager._identity.demo = ("rolling-update", 3)
    assert cell(make()) == 'nm.demo("rolling-update", seed=3, clusters=2)\nnm.table("pods")'
    manager._identity.demo, manager._identity.endpoint = None, ("url", "https://hub/?token=secret")
    assert "secret" not in cell(make())


def test_text_that_would_be_more_than_text(make: Any) -> None:
    table = make("pods", filter='"\x1b[2J\u202e" and\\ "quotes"')
    assert "\x1b" not in table.as_python()
    assert "\u202e" not in table.as_python()
    given: dict[str, Any] = {}
    exec(cell(table), {"nm": type("nm", (), {"table": lambda _, **named: given.update(named)})})
    assert given["filter"] == table.filter
    assert "\n" not in make("pods", filter="a\nkubectl delete ns x").as_kubectl().split("# kubectl cannot: ")[-1]


ODD = ('a"b\\', "\U0001f600\n", "\u202e\U0001f600", "\x7f", "\ud800", "e\u0301\u200b", "a\r\n'")


@pytest.mark.parametrize("text", ODD)
def test_a_text_reads_back_as_it_was(text: str) -> None:
    assert as_code._text(text).isprintable()
    assert ast.literal_eval(as_code._text(text)) == text


def test_no_remark_is_more_than_a_remark(make: Any, manager: FakeManager) -> None:
    table = make(columns={"Name": None, "A\nimport os": lambda pod: 1})
    assert all(line.startswith(("#", "nm.", "import notebook_mux", "")) for line in table.as_python().split("\n"))
    assert "\nimport os" not in table.as_python()
    first, *others = manager._identity.contexts
    manager._identity.contexts = (first._replace(name="a\nrm -rf ~"), *others)
    *_, last = make("pods", usage=True).as_kubectl().split("# CPU and memory: ")[1].split("\n", 1)
    assert not last.startswith("rm")


CONTEXT_A = "--context arn:aws:eks:a --kubeconfig=/home/me/other"
CONTEXT_B = "--context prod-eu --kubeconfig=/home/me/other"


def test_a_command_for_each_cluster_and_namespace(make: Any) -> None:
    assert make().as_kubectl().split("\n") == [
        f"kubectl get pods -n default {CONTEXT_A}",
        f"kubectl get pods -n shop {CONTEXT_B}",
    ]
    assert make("pods", "*", "prod-eu").as_kubectl() == f"kubectl get pods -A {CONTEXT_B}"
    assert make("pods", ["x", "y"], "prod-eu").as_kubectl().count("\n") == 1
    assert make("nodes", None, "prod-eu").as_kubectl() == f"kubectl get nodes {CONTEXT_B}"


def test_parts_of_the_filter_become_selectors(make: Any) -> None:
    table = make("pods", "*", None, "tier=a", None)
    table.filter = "-n prod --cluster prod-eu app=api -l 'x in (a, b),!old' node=N1 web status=Running"
    assert table.as_kubectl().split("\n") == [
        f"kubectl get pods -n prod -l 'tier=a,app=api,x in (a,b),!old' --field-selector spec.nodeName=n1 {CONTEXT_B}",
        "# kubectl cannot: web",
        "# kubectl cannot: status=Running",
    ]
    table.filter = "-n nowhere"
    assert make("pods", "shop", filter="-n nowhere").as_kubectl().startswith("# the filter leaves none")


@pytest.mark.parametrize(
    ("text", "labels", "fields", "remarks"),
    [
        ("app!=api", ("app!=api",), (), ()),
        ("app=a,b", ("app in (a,b)",), (), ()),
        ("app!=a,b", ("app notin (a,b)",), (), ()),
        ("app=a*", (), (), ("app=a*",)),
        ("app~^a", (), (), ("app~^a",)),
        ("name=web-0", (), ("metadata.name=web-0",), ()),
        ("name!=a,b", (), ("metadata.name!=a,metadata.name!=b",), ()),
        ("name=a,b", (), (), ("name=a,b",)),
        ("restarts>3 --faults", (), (), ("restarts>3", "only what is not as it should be")),
        ("namespace!=prod", (), (), ("namespace!=prod",)),
        ('app="a,tier=b"', (), (), ('app="a,tier=b"',)),
        ('"!app"=a', (), (), ('"!app"=a',)),
        ('name="a,b"', (), (), ('name="a,b"',)),
        ('"never closed', (), (), ('"never closed',)),
    ],
)
def test_what_kubectl_can_do_of_a_filter(text: str, labels: Any, fields: Any, remarks: Any) -> None:
    found = as_filter.said(text, ["Name", "Namespace", "Restarts", "Status", "Node", "IP"], PODS)
    assert (found.labels, found.fields, found.remarks) == (labels, fields, remarks)


def test_sorted_and_printed(make: Any) -> None:
    def words(**settings: Any) -> str:
        return str(make("pods", "*", "prod-eu", **settings).as_kubectl().replace(f" {CONTEXT_B}", ""))

    assert words(sort="Node", wide=True) == "kubectl get pods -A -o wide --sort-by=.spec.nodeName"
    assert words(sort="-Age") == "kubectl get pods -A --sort-by=.metadata.creationTimestamp"
    assert "the other order" in words(sort="Age")
    assert words(sort="Status,Age") == "kubectl get pods -A\n# kubectl cannot: sorted by Status"
    assert words(labels=["app", "tier"]) == "kubectl get pods -A -L app,tier"
    assert "custom-columns=NAMESPACE:.metadata.namespace\n" in words(columns=["Note:.metadata.annotations['a,b']"])
    custom = words(columns=["Name", "Image:{.spec.containers[0].image}", "Status"], labels=["a.b/app"], usage=True)
    printed = "NAMESPACE:.metadata.namespace,NAME:.metadata.name,IMAGE:.spec.containers[0].image"
    assert custom.split("\n") == [
        f"kubectl get pods -A -o 'custom-columns={printed},APP:.metadata.labels.a\\.b/app'",
        "# CPU and memory: kubectl top pods -A",
        "# kubectl cannot: the column Status",
    ]
    assert words(usage=True, group="node").endswith(
        "# CPU and memory: kubectl top pods -A\n# kubectl cannot: grouped by node"
    )


def test_kinds_as_kubectl_takes_them() -> None:
    deployments = {"name": "deployments", "group": "apps", "version": "v1"}
    assert as_code._word("deploy", deployments) == "deployments"
    assert as_code._word("apps/v1/deployments", deployments) == "deployments.v1.apps"
    assert as_code._word("v1/pods", {"name": "pods", "group": "", "version": "v1"}) == "pods"
    assert as_code._word("boats.example.com", None) == "boats.example.com"


def test_a_stream_of_nobody(pokes: NoPump) -> None:
    table = Table(FakeStream())
    assert cell(table) == "nm.table(stream)"
    assert table.as_kubectl().startswith("#")
    table.close()
