import assert from "node:assert/strict";
import test from "node:test";

import { tone } from "./tones";

test("states have a tone, and names have none", () => {
  const expected: [string, string, string][] = [
    ["Status", "Running", "good"],
    ["Status", "Completed", "done"],
    ["Status", "Pending", "warn"],
    ["Status", "Init:0/2", "warn"],
    ["Status", "Init:CrashLoopBackOff", "bad"],
    ["Status", "ImagePullBackOff", "bad"],
    ["Status", "ErrImagePull", "bad"],
    ["Status", "OOMKilled", "bad"],
    ["Status", "Ready", "good"],
    ["Status", "NotReady", "bad"],
    ["Status", "Ready,SchedulingDisabled", "warn"],
    ["Status", "Something new", ""],
    ["Ready", "1/1", ""],
    ["Ready", "0/2", "warn"],
    ["Type", "Warning", "warn"],
    ["Name", "error", ""],
  ];
  for (const [title, text, wanted] of expected) assert.equal(tone(title, text), wanted, `${title} ${text}`);
});

test("what has completed need not be ready", () => {
  assert.equal(tone("Ready", "0/1", "Completed"), "done");
  assert.equal(tone("Ready", "0/1", "Running"), "warn");
});
