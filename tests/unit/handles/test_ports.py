from __future__ import annotations

from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles.objects import Object
from notebook_mux.handles.ports import checked_port, port_of

POD = Object(
    {
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "x"},
        "spec": {
            "containers": [
                {"name": "side"},
                {"name": "main", "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9}]},
                {"name": "dns", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
            ],
            "initContainers": [{"name": "proxy", "ports": [{"name": "admin", "containerPort": 15000}]}],
        },
    },
    "dev",
)


def service(*ports: dict[str, Any], **spec: Any) -> Object:
    content = {"kind": "Service", "metadata": {"name": "web", "namespace": "x"}, "spec": {"ports": [*ports], **spec}}
    return Object(content, "dev")


@pytest.mark.parametrize(("given", "port"), [(80, 80), ("80", 80), (" 80 ", 80), ("http", "http"), (65535, 65535)])
def test_a_port_as_it_is_given(given: Any, port: Any):
    assert checked_port(given) == port


@pytest.mark.parametrize("given", [0, -1, 65536, "0", "65536", "", "  ", None, True, 1.5, b"80", [80]])
def test_what_is_none(given: Any):
    with pytest.raises(errors.InvalidArgument, match="is no port"):
        checked_port(given)


@pytest.mark.parametrize(("port", "found"), [(80, 80), ("http", 8080), ("admin", 15000)])
def test_a_pods(port: Any, found: int):
    assert port_of(POD, POD, port) == found


def test_a_pods_that_is_not_there():
    with pytest.raises(errors.InvalidArgument, match="names no TCP port 'dns'") as caught:
        port_of(POD, POD, "dns")
    assert caught.value.todo == "one of: http, dns, admin, or a number"
    bare = Object({"kind": "Pod", "metadata": {"name": "a", "namespace": "x"}, "spec": {}}, "dev")
    with pytest.raises(errors.InvalidArgument) as caught:
        port_of(bare, bare, "http")
    assert caught.value.todo == "give a number: its containers name no ports"


@pytest.mark.parametrize(
    ("port", "found"),
    [
        ({"port": 80}, 80),
        ({"port": 80, "targetPort": 8000}, 8000),
        ({"port": 80, "targetPort": "http"}, 8080),
        ({"port": 80, "targetPort": 8000, "protocol": "TCP"}, 8000),
    ],
)
def test_a_services(port: dict[str, Any], found: int):
    assert port_of(service({"port": 443}, port), POD, 80) == found
    assert port_of(service(port | {"name": "www"}), POD, "www") == found


def test_a_headless_services_port_is_the_pods():
    assert port_of(service({"port": 80, "targetPort": 8000}, clusterIP="None"), POD, 80) == 80


def test_a_services_that_is_not_there():
    with pytest.raises(errors.InvalidArgument, match="service x/web has no port 81") as caught:
        port_of(service({"port": 80, "name": "www"}, {"port": 443}), POD, 81)
    assert caught.value.todo == "one of: 80 (www), 443"
    with pytest.raises(errors.InvalidArgument, match="has no port www"):
        port_of(service(), POD, "www")
    with pytest.raises(errors.InvalidArgument, match="is UDP: only TCP"):
        port_of(service({"port": 53, "protocol": "UDP"}), POD, 53)
