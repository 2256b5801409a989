import assert from "node:assert/strict";
import test from "node:test";

import { complete, Known } from "./completing";
import { compiled } from "./judging";
import { VECTORS, World } from "./vectors";

const WORLDS = Object.fromEntries(Object.entries(VECTORS.worlds).map(([name, world]) => [name, new World(world)]));
const world = (name: string) => WORLDS[name] as World;

test("rows that pass are those that pass in Python", () => {
  for (const [name, text, wanted] of VECTORS.judged) {
    const { passes } = compiled(text, world(name).scheme);
    assert.deepEqual(world(name).rows.filter(passes).map((row) => row.name), wanted, `${name}: ${text}`);
  }
});

test("mistakes are at the places where Python sees them", () => {
  for (const [name, text, wanted] of VECTORS.mistakes) {
    const { mistakes } = compiled(text, world(name).scheme);
    const found = mistakes.map(({ start, end, what, todo, open }) => [start, end, what, todo, open]);
    assert.deepEqual(found, wanted, `${name}: ${text}`);
  }
});

test("what may follow is what Python offers", () => {
  for (const [name, text, start, end, wanted] of VECTORS.completed) {
    const { columns, scheme, rows } = world(name);
    const found = complete(text.replace("|", ""), text.indexOf("|"), new Known(columns, scheme.clusters, rows));
    const candidates = found.candidates.map(({ text: one, kind, about }) => [one, kind, about]);
    assert.deepEqual([found.start, found.end, candidates], [start, end, wanted], `${name}: ${text}`);
  }
});

test("whatever is typed, nothing is thrown and places are in the text", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const signs = [..."=!<>~,*\"'/\\()[]{}|+?.:-_%$^ \t\u00a0abn1m0éß\u0130", "\u{1F600}"];
  const texts = [...VECTORS.judged, ...VECTORS.mistakes, ...VECTORS.completed].map(([, text]) => text);
  const known = Object.fromEntries(
    Object.entries(WORLDS).map(([name, { columns, scheme, rows }]) => [name, new Known(columns, scheme.clusters, rows)]),
  );
  for (const text of texts) {
    for (let turn = 0; turn < 8; turn++) {
      const at = random(text.length + 1);
      const more = Array.from({ length: 1 + random(3) }, () => signs[random(signs.length)]).join("");
      const slip = turn === 0 ? text.slice(0, at) : text.slice(0, at) + more + text.slice(at + random(3));
      for (const [name, { scheme, rows }] of Object.entries(WORLDS)) {
        const { mistakes, passes } = compiled(slip, scheme);
        rows.filter(passes);
        complete(slip, random(slip.length + 1), known[name] as Known);
        for (const { start, end, what, todo } of mistakes) {
          assert.ok(0 <= start && start <= end && end <= slip.length, slip);
          assert.ok(what !== "" && todo !== "", slip);
        }
      }
    }
  }
});

test("what counts time is asked again as time goes by", () => {
  const { scheme } = world("pods");
  assert.equal(compiled("age>5m", scheme).timed, true);
  assert.equal(compiled("web status=Running", scheme).timed, false);
  assert.equal(compiled("", scheme).any, false);
  assert.equal(compiled("", scheme, true).any, true);
  assert.deepEqual(world("pods").rows.filter(compiled("web", scheme, true).passes).map(({ name }) => name), ["web-1", "web-10"]);
});
