import assert from "node:assert/strict";
import test from "node:test";

import { asInput, asksFirst, clean, lines } from "./paste";
import { contrast, rgb, type Rgb, themeOn } from "./theme";
import { lineOf, plain, span, typed } from "./words";

test("what happened to a program, in a line", () => {
  const line = (event: Record<string, unknown>) => lineOf({ run: 1, at: 1, ...event } as never);
  assert.equal(line({ state: "starting" }), undefined);
  assert.deepEqual(line({ state: "running", command: ["bash"] }), { text: "bash", tone: "" });
  assert.match(line({ state: "running", command: [] })?.text ?? "", /^attached/);
  assert.deepEqual(line({ state: "ended", code: 0 }), { text: "ended with exit code 0 · press Enter to start it again", tone: "" });
  assert.equal(line({ state: "ended", code: 137 })?.text, "ended with exit code 137 · press Enter to start it again");
  assert.equal(line({ state: "ended", code: null, message: "no such file" })?.text, "ended: no such file · press Enter to start it again");
  assert.equal(line({ state: "ended", code: null })?.text, "ended · press Enter to start it again");
  const lost = line({ state: "lost", code: "unreachable", what: "the stream broke", said: "EOF", todo: "try \x1b[2Jagain" });
  assert.deepEqual(lost, { text: "lost: the stream broke · EOF · try  [2Jagain · press Enter to start it again", tone: "bad" });
});

test("text that drives nothing", () => {
  assert.equal(plain("\x1b[31mred\u202ederorrim\u2066\r\n\x9b5m"), "[31mred derorrim 5m");
  assert.equal(plain("x".repeat(1000)).length, 400);
  assert.equal(typed("ls\r\x03\x1b[A\x7f"), "ls⏎^C^[[A⌫");
  assert.deepEqual([span(600), span(61), span(0)], ["10 minutes", "61 seconds", "1 second"]);
});

test("a paste: what is asked for, and what is sent", () => {
  assert.equal(clean("a\r\nb\rc\x1b[201~d\x03\te"), "a\nb\nc[201~d\te");
  assert.deepEqual([asksFirst("one line"), asksFirst("one line\n"), asksFirst("two\nlines")], [false, true, true]);
  assert.deepEqual([lines("a"), lines("a\n"), lines("a\nb"), lines("a\n\nb\n")], [1, 1, 2, 3]);
  assert.equal(asInput("a\nb", false), "a\rb");
  assert.equal(asInput("a\nb", true), "\x1b[200~a\rb\x1b[201~");
});

const NAMES = [
  "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "brightBlack", "brightRed", "brightGreen",
  "brightYellow", "brightBlue", "brightMagenta", "brightCyan", "brightWhite", "foreground",
] as const;

function parsed(hex: string): Rgb {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
}

for (const [name, back] of Object.entries({
  white: [255, 255, 255], "JupyterLab Light": [255, 255, 255], "JupyterLab Dark": [17, 17, 17], "its cells": [33, 33, 33],
} as Record<string, Rgb>)) {
  test(`all sixteen colours can be read on ${name}, and told apart`, () => {
    const theme = themeOn(back, [25, 118, 210]);
    for (const color of NAMES) {
      const ratio = contrast(parsed(theme[color] ?? ""), back);
      assert.ok(ratio >= 4.5, `${color} on ${name}: ${ratio.toFixed(2)}`);
    }
    const sixteen = NAMES.filter((color) => color !== "foreground");
    assert.equal(new Set(sixteen.map((color) => theme[color])).size, sixteen.length);
  });
}

test("computed colours are read in the forms that browsers give", () => {
  assert.deepEqual(rgb("rgb(1, 2, 3)"), [1, 2, 3]);
  assert.deepEqual(rgb("rgba(1, 2, 3, 0.5)"), [1, 2, 3]);
  assert.deepEqual(rgb("color(srgb 1 0.5 0)"), [255, 128, 0]);
  assert.equal(rgb("rgba(0, 0, 0, 0)"), undefined);
  assert.equal(rgb("transparent"), undefined);
});
