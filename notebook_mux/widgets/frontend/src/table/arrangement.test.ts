import assert from "node:assert/strict";
import test from "node:test";

import { Arrangement, isGroup, type Rules } from "./arrangement";
import { comparator, sortsOf } from "./cells";
import { head, row } from "./fake_rows";
import { compareGroups, grouping } from "./groups";
import type { Changes, Row } from "./rows";

const HEAD = head(["Status", "Restarts", "Node"]);

function rules(more: Partial<Rules> & { sort?: string; by?: string } = {}): Rules {
  const { sort = "", by = "", ...rest } = more;
  return {
    compare: comparator(HEAD, sortsOf(sort), () => 0),
    passes: () => true,
    groupOf: grouping(by, HEAD),
    compareGroups,
    fault: (one) => one.wire[4][1] === "Error",
    ...rest,
  };
}

function arranged(given: Row[], wanted: Rules): Arrangement {
  const made = new Arrangement(wanted);
  made.arrange(wanted, given);
  return made;
}

/** What is shown, a line each. */
function lines(arrangement: Arrangement): string[] {
  return arrangement.shown.map((one) =>
    isGroup(one) ? `${one.open ? "v" : ">"} ${one.group} ${one.count}/${one.total} !${one.faults}` : one.name,
  );
}

const changes = (...pairs: [Row | undefined, Row | undefined][]): Changes =>
  new Map(pairs.map(([before, after]) => [(after ?? before)?.key ?? "", [before, after]]));

test("rows go where they belong, and typed: by several columns, then by place", () => {
  const web = [row("web-2", ["Running", 10]), row("web-10", ["Running", 9]), row("web-1", ["Error", 9])];
  assert.deepEqual(lines(arranged(web, rules())), ["web-1", "web-2", "web-10"]);
  assert.deepEqual(lines(arranged(web, rules({ sort: "Restarts" }))), ["web-1", "web-10", "web-2"]);
  assert.deepEqual(lines(arranged(web, rules({ sort: "-Restarts" }))), ["web-2", "web-1", "web-10"]);
  assert.deepEqual(lines(arranged(web, rules({ sort: "-Status,Restarts" }))), ["web-10", "web-2", "web-1"]);
});

test("taking changes in gives what arranging all of them anew gives", () => {
  let random = 7;
  const next = (most: number) => (random = (random * 1103515245 + 12345) % 2147483648) % most;
  const statuses = ["Running", "Error", "Pending"];
  const made = (id: number) =>
    row(`web-${id}`, [statuses[next(3)], next(5), `n${next(4)}`], { namespace: `ns-${id % 3}` });
  for (const by of ["", "node", "namespace"]) {
    const wanted = rules({ sort: "-Restarts,Status", by, passes: (one) => one.wire[4][1] !== "Pending" });
    const now = new Map(Array.from({ length: 60 }, (_, id) => [id, made(id)]));
    const live = arranged([...now.values()], wanted);
    for (let round = 0; round < 40; round++) {
      const batch: Changes = new Map();
      for (let one = 0; one < 8; one++) {
        const id = next(80);
        const before = now.get(id);
        const after = next(4) === 0 ? undefined : made(id);
        const key = (before ?? after)?.key;
        if (key === undefined || batch.has(key)) continue;
        batch.set(key, [before, after]);
        if (after === undefined) now.delete(id);
        else now.set(id, after);
      }
      live.take(batch);
      assert.deepEqual(lines(live), lines(arranged([...now.values()], wanted)));
      assert.equal(live.size, now.size);
    }
  }
});

test("groups say how many, of how many, and with how many faults; one whose rows are all filtered away vanishes", () => {
  const given = [
    row("a", ["Running", 0, "n1"]), row("b", ["Error", 0, "n1"]), row("c", ["Error", 0, "n10"]),
    row("d", ["Running", 0, "n2"]), row("e", ["Running", 0, "<none>"]),
  ];
  const live = arranged(given, rules({ by: "node" }));
  assert.deepEqual(lines(live), ["v n1 2/2 !1", "a", "b", "v n2 1/1 !0", "d", "v n10 1/1 !1", "c", "v  1/1 !0", "e"]);
  live.filter(rules({ by: "node", passes: (one) => one.wire[4][1] === "Error" }));
  assert.deepEqual(lines(live), ["v n1 1/2 !1", "b", "v n10 1/1 !1", "c"]);
  live.toggle("n1", false);
  assert.deepEqual(lines(live), ["> n1 1/2 !1", "v n10 1/1 !1", "c"]);
  assert.equal(live.passing, 2);
  assert.deepEqual(live.passed().map((one) => one.name), ["b", "c"]);
  live.take(changes([given[1], undefined], [given[2], undefined]));
  assert.deepEqual(lines(live), []);
});

test("a row that is gone may be shown a little longer, and does not count", () => {
  const [a, b] = [row("a", ["Running", 0, "n1"]), row("b", ["Error", 0, "n2"])];
  const live = arranged([a, b], rules({ by: "node" }));
  live.take(changes([b, undefined]), () => true);
  assert.deepEqual(lines(live), ["v n1 1/1 !0", "a", "v n2 0/0 !0", "b"]);
  assert.deepEqual([live.size, live.passing], [1, 1]);
  live.drop([b]);
  assert.deepEqual(lines(live), ["v n1 1/1 !0", "a"]);
});

test("groups by owner, label and cluster; rows without come last", () => {
  const given = [
    row("a", [], { owner: "ReplicaSet/web-10", labels: { app: "web" }, cluster: 1 }),
    row("b", [], { owner: "ReplicaSet/web-9" }),
    row("c", [], { labels: { app: "api" } }),
  ];
  const names = (by: string) => arranged(given, rules({ by })).shown.filter(isGroup).map((one) => one.group);
  assert.deepEqual(names("owner"), ["ReplicaSet/web-9", "ReplicaSet/web-10", ""]);
  assert.deepEqual(names("label:app"), ["api", "web", ""]);
  assert.deepEqual(names("label:constructor"), [""]);
  assert.deepEqual(names("cluster"), ["east", "west"]);
});
