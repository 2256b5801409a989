import assert from "node:assert/strict";
import test from "node:test";

import { clock } from "./dom";
import { type Standing, stateTone, trouble } from "./trouble";

const AWAY: Standing = {
  state: "unreachable", reason: "no connection to a:6443", said: "Connection refused", todo: "is a VPN up?",
  since: 1000, retryAt: 1065.2, fresh: 990,
};

test("all of it, in order", () => {
  assert.equal(
    trouble(AWAY, 1000),
    `unreachable since ${clock(1000)} · no connection to a:6443: Connection refused · rows are from ${clock(990)}` +
      " · next try in 66s · is a VPN up?",
  );
});

test("it counts down, and then says that it tries", () => {
  assert.match(trouble(AWAY, 1060), / next try in 6s /);
  assert.match(trouble(AWAY, 1066), / trying now /);
});

test("what is not known is left out, and nothing is said twice", () => {
  const bare = { ...AWAY, said: AWAY.reason, todo: "", since: 0, retryAt: null, fresh: null };
  assert.equal(trouble(bare, 1000), "unreachable · no connection to a:6443");
});

test("states have a tone", () => {
  assert.deepEqual(["live", "stale", "login", "connecting"].map(stateTone), ["good", "warn", "bad", ""]);
});
