import assert from "node:assert/strict";
import { test } from "node:test";

(globalThis as { document?: unknown }).document = { createElement: () => ({ getContext: () => null }) };
const { fitted } = await import("./widths");

const NEEDS = [
  { whole: 240, least: 200, cut: 160, name: true },
  { whole: 100, least: 60, cut: 60, name: false },
  { whole: 200, least: 190, cut: 110, name: false },
];

test("what nobody would miss goes first, then the ends of words, and those of names last", () => {
  const at = (room: number) => fitted(NEEDS, room);
  assert.deepEqual(at(Infinity), [240, 100, 200]);
  assert.deepEqual(at(540), [240, 100, 200]);
  assert.deepEqual(at(495), [220, 80, 195]);
  assert.deepEqual(at(450), [200, 60, 190]);
  assert.deepEqual(at(410), [200, 60, 150]);
  assert.deepEqual(at(370), [200, 60, 110]);
  assert.deepEqual(at(350), [180, 60, 110]);
  assert.deepEqual(at(100), [160, 60, 110]);
});
