import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterTime } from "./clock";

test("a cluster's clock may go as ours, ahead, faster, or not at all", () => {
  assert.equal(clusterTime(null, 1000), 1000);
  assert.equal(clusterTime(undefined, 1000), 1000);
  assert.equal(clusterTime([2000, 1000, 1], 1007), 2007);
  assert.equal(clusterTime([2000, 1000, 10], 1007), 2070);
  assert.equal(clusterTime([2000, 1000, 0], 1007), 2000);
});
