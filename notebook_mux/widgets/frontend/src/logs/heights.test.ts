import assert from "node:assert/strict";
import test from "node:test";

import { Heights } from "./heights";

test("it agrees with adding up", () => {
  let seed = 9;
  const random = (below: number) => ((seed = (seed * 48271) % 0x7fffffff) >> 3) % below;
  const heights = new Heights();
  const plain: number[] = [];
  for (let step = 0; step < 12_000; step++) {
    const what = random(10);
    if (what < 7 || plain.length === 0) {
      const height = 1 + random(90);
      heights.push(height);
      plain.push(height);
    } else if (what < 9) {
      const [row, height] = [random(plain.length), 1 + random(90)];
      heights.set(row, height);
      plain[row] = height;
    } else {
      const count = Math.max(0, plain.length - random(20));
      heights.cut(count);
      plain.length = count;
    }
  }
  let begin = 0;
  plain.forEach((height, row) => {
    assert.equal(heights.begin(row), begin);
    assert.equal(heights.at(begin), row);
    assert.equal(heights.at(begin + height - 1), row);
    begin += height;
  });
  assert.equal(heights.total, begin);
  assert.equal(heights.at(begin + 1000), plain.length - 1);
});

test("none and one", () => {
  const heights = new Heights();
  assert.deepEqual([heights.total, heights.at(5)], [0, 0]);
  heights.push(18);
  assert.deepEqual([heights.total, heights.at(17), heights.at(18)], [18, 0, 0]);
});
