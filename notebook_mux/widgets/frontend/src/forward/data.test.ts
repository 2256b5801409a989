import assert from "node:assert/strict";
import { test } from "node:test";

import { type Data, address, isHere, tone } from "./data";

const LOCAL = "http:" + "//127.0.0.1:4000";

const DATA: Data = {
  target: "service default/web", wanted: "80", cluster: "dev", pod: "web-0", podPort: 8080, url: LOCAL,
  state: "listening", reason: "", connections: 0, total: 0, sent: 0, received: 0, errors: 0, error: "",
};

test("an address is one of this machine, or none", () => {
  assert.equal(address(DATA), `${LOCAL}/`);
  const others = ["", "javascript:alert(1)", LOCAL.replace("127.0.0.1", "evil.example"), `${LOCAL}@evil.example`, `x${LOCAL}`,
    LOCAL.replace("http", "https"), `${LOCAL}\njavascript:alert(1)`];
  for (const url of others) assert.equal(address({ ...DATA, url }), undefined);
});

test("where a page is shown", () => {
  for (const name of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) assert.ok(isHere(name));
  for (const name of ["hub.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""]) {
    assert.ok(!isHere(name));
  }
});

test("tones", () => {
  assert.deepEqual(["listening", "lost", "offline", "ended", "closed"].map(tone), ["good", "warn", "warn", "bad", ""]);
});
