import assert from "node:assert/strict";
import test from "node:test";

import { folded, members, MOST_TOKENS, pretty } from "./json";

test("a line is folded to what it says and the rest", () => {
  const line = '{"level":"info","ts":1.5,"msg":"request served","path":"/a b","status":200,"ok":true,"deep":{"a":[1,2]}}';
  const { said, rest } = folded(line)!;
  assert.equal(said, "request served");
  assert.deepEqual(rest, [
    { key: "path", raw: '"/a b"', kind: "string" },
    { key: "status", raw: "200", kind: "number" },
    { key: "ok", raw: "true", kind: "word" },
    { key: "deep", raw: '{"a":[1,2]}', kind: "nested" },
  ]);
});

test("nothing is rounded, merged or taken for something else", () => {
  const found = members('{"id":12345678901234567890,"x":1e400,"id":2,"__proto__":{"a":1},"q":"a\\"}{,"}')!;
  assert.deepEqual(found.map(({ key, raw }) => [key, raw]), [
    ["id", "12345678901234567890"], ["x", "1e400"], ["id", "2"], ["__proto__", '{"a":1}'], ["q", '"a\\"}{,"'],
  ]);
});

test("what is no object is none", () => {
  for (const text of ["", "{", "[1]", '"x"', "{a:1}", "{} {}", '{"a":1}x']) {
    assert.equal(folded(text), undefined, text);
    assert.equal(pretty(text), undefined, text);
  }
  assert.deepEqual(folded("{}"), { said: "", rest: [] });
});

test("unfolded over lines, and the same object", () => {
  const line = '{"a":{"b":[1,{"c":null}],"e":{},"f":[]},"g":"x: {y}"}';
  const text = pretty(line)!.map((token) => token.text).join("");
  assert.equal(text, '{\n  "a": {\n    "b": [\n      1,\n      {\n        "c": null\n      }\n    ],\n    "e": {},\n    "f": []\n  },\n  "g": "x: {y}"\n}');
  assert.deepEqual(JSON.parse(text), JSON.parse(line));
  assert.deepEqual(pretty('{"k":"v","n":-1}')!.filter(({ kind }) => kind !== "punctuation").map(({ kind }) => kind), ["key", "string", "key", "number"]);
});

test("a huge object has an end", () => {
  const huge = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at])));
  assert.ok(pretty(huge)!.length <= MOST_TOKENS + 5);
  assert.equal(members(huge)!.length, 5000);
});
