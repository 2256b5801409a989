import assert from "node:assert/strict";
import test from "node:test";

import { compiled, everywhere } from "./expression";

const regex = (text: string) => compiled({ text, regex: true, case: "smart" });

test("words are words, and letters count when they are asked to", () => {
  const words = compiled({ text: "a.b(", regex: false, case: "ignore" });
  assert.ok(words.regex?.test("x A.B( y"));
  assert.ok(!words.regex?.test("axb("));
  assert.ok(!compiled({ text: "a", regex: false, case: "match" }).regex?.test("A"));
  assert.ok(regex("get").regex?.test("GET"));
  assert.ok(!regex("GET").regex?.test("get"));
  assert.ok(regex("\\Dx").regex?.test("aX"), "a class is no capital letter");
});

test("nothing, and what finds each line, is no filter", () => {
  for (const text of ["", ".*", "^", "$", ".*|"]) assert.deepEqual(regex(text), { regex: undefined }, text);
});

test("what is wrong is said at its place", () => {
  const wrong: [string, number, RegExp][] = [
    ["a(b", 1, /never closed/], ["a)b", 1, /closes nothing/], ["x[0-9", 1, /never closed/], ["*a", 0, /repeat/],
    ["a|+", 2, /repeat/], ["a**", 2, /repeat/], ["tail\\", 4, /backslash/], ["(?P<name>x)", 0, /begins nothing/],
    ["[z-a]", 3, /range/], ["a{3,1}", 5, /range|numbers/],
  ];
  for (const [text, at, what] of wrong) {
    const made = regex(text);
    assert.ok(made.error !== undefined, text);
    assert.match(made.error, what, text);
    assert.equal(made.at, at, `${text}: ${made.error}`);
  }
});

test("what is right is not called wrong", () => {
  for (const text of ["a{2}b", "a{x}", "(?:a|b)+?", "(?<=x)y", "(?<n>a)\\k<n>", "[)(*]+", "^a$|^b", "\\(", "a{2,}?", "x(?!y)", "[^]]a]"]) {
    assert.equal(regex(text).error, undefined, text);
  }
});

test("all places in a line", () => {
  assert.deepEqual([..."aXa".matchAll(everywhere(/a/i))].map((match) => match.index), [0, 2]);
});
