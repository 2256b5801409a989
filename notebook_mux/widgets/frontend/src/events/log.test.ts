import assert from "node:assert/strict";
import { test } from "node:test";

import { Happened, type Wire } from "./data";
import { partsOf } from "./log";

function happened(key: string, name: string, moments: number[]): Happened {
  const wire: Wire = [0, key, 0, "shop", "Pod", name, "", "Warning", "Unhealthy", "said", moments.length, moments[0], moments.at(-1), moments, "", 1];
  return new Happened(wire);
}

function shape(parts: ReturnType<typeof partsOf>): string[] {
  return parts.map((part) => ("one" in part ? `[${part.one.key} ${part.at}]` : part.text));
}

const CHOSEN = happened("a", "web-0", [100, 104, 500]);

test("events stand between the lines, behind those of their second", () => {
  const lines = [[99.5, "one"], [100.2, "two"], [104.9, "three"], [105, "four"]] as const;
  const others = [CHOSEN, happened("b", "web-1", [100]), happened("c", "web-0", [101.5])];
  assert.deepEqual(shape(partsOf(lines, others, { ...CHOSEN, thing: CHOSEN.thing, last: 104 } as Happened)), [
    "one", "two", "[0 a 100]", "[0 c 101.5]", "three", "[0 a 104]", "four",
  ]);
});

test("without a line the event stands alone", () => {
  assert.deepEqual(shape(partsOf([], [CHOSEN], CHOSEN)), ["[0 a 500]"]);
});

test("what drives a terminal is left out, and the rest is text", () => {
  const lines = [[500, "\u001b[31;1mred\u001b[0m <b>\u001b]0;title\u0007x\u001b[2J"]] as const;
  assert.deepEqual(shape(partsOf(lines, [], CHOSEN)), ["red <b>x"]);
});
