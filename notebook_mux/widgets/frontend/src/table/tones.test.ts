import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { condition, fault, faults, hasShape, kindKey, meaning, partner, tone } from "./tones";

interface Vectors {
  tones: [string, string, unknown, unknown, string, string][];
  faults: [string, string[], unknown[], boolean][];
  conditions: [string, string, string][];
  partners: [string, string, string | null][];
}

const vectors = JSON.parse(readFileSync("../../../tests/unit/printing/tones.json", "utf8")) as Vectors;

test("the tone and the meaning of a cell, as in Python", () => {
  for (const [kind, title, cell, state, wanted, words] of vectors.tones) {
    assert.deepEqual([tone(kind, title, cell, state), meaning(kind, title, cell, state)], [wanted, words], `${kind} ${title} ${cell}`);
  }
});

test("what is a fault, as in Python", () => {
  for (const [kind, titles, cells, wanted] of vectors.faults) {
    assert.equal(fault(kind, titles, cells), wanted, `${kind} ${cells}`);
    assert.equal(faults(kind, titles)(cells), wanted);
  }
});

test("the tones of conditions, as in Python", () => {
  for (const [name, status, wanted] of vectors.conditions) assert.equal(condition(name, status), wanted, `${name} ${status}`);
});

test("which columns are read together, as in Python", () => {
  for (const [kind, title, wanted] of vectors.partners) assert.equal(partner(kind, title) ?? null, wanted, `${kind} ${title}`);
});

test("a kind is known by its resource and group", () => {
  assert.equal(kindKey({ resource: "pods", group: "" }), "pods");
  assert.equal(kindKey({ resource: "deployments", group: "apps" }), "deployments.apps");
  assert.equal(kindKey({ resource: "events", group: "events.k8s.io" }), "events");
  assert.equal(kindKey(null), "");
});

test("states have a shape at all times, and an event's type has none", () => {
  assert.deepEqual(["Status", "PHASE", "Type", "Name"].map(hasShape), [true, true, false, false]);
});
