import assert from "node:assert/strict";
import test from "node:test";

import { row } from "./fake_rows";
import { Ledger, missedText } from "./ledger";

test("each row counts once, by what became of it in the end", () => {
  const ledger = new Ledger();
  const [a, b, c] = [row("a"), row("b"), row("c")];
  const [a2, a3, c2] = [row("a", ["x"]), row("a", ["y"]), row("c", ["x"])];
  ledger.add(new Map([[a.key, [a, a2]], [b.key, [undefined, b]], [c.key, [c, undefined]]]));
  assert.equal(missedText(ledger.missed()), "paused · 3 changes missed (1 new, 1 changed, 1 gone)");
  ledger.add(new Map([[a.key, [a2, a3]], [b.key, [b, undefined]], [c.key, [undefined, c2]]]));
  assert.equal(missedText(ledger.missed()), "paused · 2 changes missed (2 changed)");
  assert.deepEqual([...ledger.drain()], [[a.key, [a, a3]], [c.key, [c, c2]]]);
  assert.equal(missedText(ledger.missed()), "paused · nothing missed");
});
