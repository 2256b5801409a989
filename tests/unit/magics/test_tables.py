"""Outputs are kubectl's own, as it printed them."""

from __future__ import annotations

from notebook_mux.magics.tables import read

PODS = """\
NAME                     READY   STATUS             RESTARTS       AGE   IP            NOMINATED NODE   READINESS GATES
flaky-2rfvgkxjx2-2s4x7   0/1     CrashLoopBackOff   6 (108s ago)   8m    10.244.5.80   <none>           <none>
api-xtkw4j7jfk-g2jk6     1/1     Running            0              6m    <none>        <none>           <none>
"""

SEVERAL = """\
NAME                 TYPE           CLUSTER-IP      EXTERNAL-IP    PORT(S)        AGE
service/storefront   LoadBalancer   10.96.213.191   203.0.113.20   80:30215/TCP   3h1m

NAME                         READY   UP-TO-DATE   AVAILABLE   AGE
deployment.apps/storefront   2/2     2            2           3h1m

"""

RIGHTS = """\
Resources                                       Non-Resource URLs   Resource Names   Verbs
*.*                                             []                  []               [*]
                                                [/api/*]            []               [get list]
"""

EVENTS = """\
LAST SEEN   TYPE      REASON    OBJECT        MESSAGE
52s         Warning   BackOff   pod/flaky     Back-off restarting failed container app in pod  flaky (500 ms)
3h1m        Normal    Pulled    pod/cart-0    Größe 12 Mi — „fertig“
"""

BOATS = """\
NAME    SAILS   CAPTAIN       AGE
ada             Grace Hopper  3d
bob     2                     3d
"""

CONTEXTS = """\
CURRENT   NAME   CLUSTER   AUTHINFO       NAMESPACE
*         demo   demo      notebook-mux   default
          prod   prod      notebook-mux   shop
"""

WATCHED = """\
NAME    READY   STATUS    RESTARTS   AGE
web-0   1/1     Running   0          5s
a-pod-with-a-much-longer-name   0/1     Init:0/1   0          0s
web-0                           1/1     Terminating   0          9s
"""


def test_cells_with_blanks_in_them() -> None:
    (table,) = read(PODS)
    assert table.columns[-2:] == ["NOMINATED NODE", "READINESS GATES"]
    assert [row["RESTARTS"] for row in table.rows] == ["6 (108s ago)", "0"]
    (events,) = read(EVENTS)
    assert events.rows[0]["MESSAGE"] == "Back-off restarting failed container app in pod  flaky (500 ms)"
    assert events.rows[1]["MESSAGE"] == "Größe 12 Mi — „fertig“"


def test_empty_cells() -> None:
    (rights,) = read(RIGHTS)
    assert rights.rows[1] == {"Resources": "", "Non-Resource URLs": "[/api/*]", "Resource Names": "[]",
                              "Verbs": "[get list]"}  # fmt: skip
    (boats,) = read(BOATS)
    assert [(row["SAILS"], row["CAPTAIN"]) for row in boats.rows] == [("", "Grace Hopper"), ("2", "")]
    (contexts,) = read(CONTEXTS)
    assert [row["CURRENT"] for row in contexts.rows] == ["*", ""]


def test_several_tables() -> None:
    services, deployments = read(SEVERAL)
    assert services.rows[0]["PORT(S)"] == "80:30215/TCP"
    assert deployments.rows == [
        {"NAME": "deployment.apps/storefront", "READY": "2/2", "UP-TO-DATE": "2", "AVAILABLE": "2", "AGE": "3h1m"}
    ]


def test_later_lines_of_a_watch_have_wider_columns() -> None:
    (table,) = read(WATCHED)
    assert [row["NAME"] for row in table.rows] == ["web-0", "a-pod-with-a-much-longer-name", "web-0"]
    assert [row["STATUS"] for row in table.rows] == ["Running", "Init:0/1", "Terminating"]
    assert [row["AGE"] for row in table.rows] == ["5s", "0s", "9s"]


def test_no_table() -> None:
    assert read("") == []
    assert read("NAME   AGE\n")[0].rows == []


def test_a_title_that_stands_twice() -> None:
    assert read("NAME   A   A\nx      1   2\n")[0].rows == [{"NAME": "x", "A": "1", "A.2": "2"}]
