"""Which program a container runs: that of its command, else that of its image."""

from __future__ import annotations

from collections.abc import Mapping

from notebook_mux.playground.shell import entry
from notebook_mux.playground.stories import batch, counting, servers, shop, web
from notebook_mux.playground.stories.commands import Spoken, image_name, script_of
from notebook_mux.playground.stories.program import Program, Scene

PROGRAMS: Mapping[str, type[Program]] = {
    "nginx": servers.Nginx,
    "postgres": servers.Postgres,
    "prometheus": servers.Logfmt,
    "grafana": servers.Grafana,
    "node-exporter": servers.NodeExporter,
    "coredns": servers.CoreDns,
    "kube-proxy": servers.Klog,
    "metrics-server": servers.MetricsServer,
    "storefront": shop.Storefront,
    "checkout": shop.Checkout,
    "cart": shop.Cart,
    "web": shop.Service,
    "api": shop.Api,
    "worker": shop.Worker,
    "queue": shop.Worker,
    "cache": shop.Cache,
    "flaky": shop.Flaky,
    "counter": counting.Counter,
    "import": batch.Import,
    "report": batch.Report,
    **web.IMAGES,
}
"""By the last part of an image's name."""


def program(scene: Scene) -> Program:
    """The program of a container."""
    script = script_of(scene.container)
    if script is not None:
        return Spoken(scene, script)
    named = web.by_command(scene.container)
    if named is not None:
        return named(scene)
    if entry.is_emulated(scene.container):
        return Program(scene)  # what it says, it says itself
    return PROGRAMS.get(image_name(scene.image), shop.Unknown)(scene)
