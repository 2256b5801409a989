/** Rows for tests. */

import type { Head } from "./head";
import { Row } from "./rows";

export function row(name: string, cells: unknown[] = [], more: { uid?: string; namespace?: string; labels?: Record<string, string>; owner?: string; cluster?: number } = {}): Row {
  const { uid = `u-${name}`, namespace = "shop", labels = {}, owner = "", cluster = 0 } = more;
  return new Row([cluster, uid, namespace, name, [name, ...cells], {}, labels, owner]);
}

/** A table's head with these columns behind the name. */
export function head(titles: string[], group = ""): Head {
  const columns = ["Name", ...titles];
  return {
    title: "pods",
    kind: { kind: "Pod", resource: "pods", group: "", namespaced: true },
    question: { kind: "pods", namespaces: [], clusters: null, selector: "", fieldSelector: "", all: [], own: [] },
    columns: columns.map((title) => ({ title, type: "string", about: "", wide: false, source: "server" })),
    clusters: ["east", "west"].map((name) => ({
      name, state: "live", reason: "", said: "", todo: "", since: 0, retryAt: null, fresh: null, synced: true, clock: null,
    })) as unknown as Head["clusters"],
    write: [true, true],
    notes: [],
    several: [false, false],
    closed: false,
    looks: true,
    settings: {
      filter: "", faults: false, wide: false, usage: false, labels: [], sort: "", group, height: 400, columns: null,
      shown: columns, layout: null, at: 0,
    },
  };
}
