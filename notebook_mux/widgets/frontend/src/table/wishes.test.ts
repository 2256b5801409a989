import assert from "node:assert/strict";
import test from "node:test";

import type { Bar } from "./bar";
import { Wishes } from "./wishes";

const bar = { say: () => undefined, refused: () => undefined } as unknown as Bar;

function among(name: string, answer: { ok: boolean; said?: string; error?: string }): Promise<string | undefined> {
  const wishes = new Wishes(async () => answer, () => bar, () => "");
  return wishes.among({ cluster: "a", namespace: "", name, kind: "ClusterRole.rbac.authorization.k8s.io" }, undefined);
}

test("an object among others of its kind is found by its name, whatever that is", async () => {
  const there = { ok: true, said: "" };
  assert.equal(await among("system:node", there), "system:node");
  assert.equal(await among("a=b", there), '"a=b"');
  assert.equal(await among("!x", there), '"!x"');
  assert.equal(await among('-n "x\\', there), '"-n \\"x\\\\"');
});

test("nothing is filtered where the kind cannot be shown", async () => {
  assert.equal(await among("web", { ok: false, error: "you may not list it" }), undefined);
});
