import assert from "node:assert/strict";
import test from "node:test";

import { pieces, plain, TRUE } from "./escapes";

const ESC = "\u001b";
const texts = (text: string) => pieces(text).map((piece) => (piece.mark === "" ? piece.text : `<${piece.text}>`));

test("text without any of it is one piece", () => {
  assert.deepEqual(pieces("GET /\t200"), [{ text: "GET /\t200", look: undefined, mark: "" }]);
  assert.deepEqual(pieces(""), []);
});

test("colours", () => {
  const [red, bold, rest] = pieces(`${ESC}[31mred${ESC}[1mbold${ESC}[0m rest`);
  assert.equal(red?.look?.fg, 1);
  assert.ok(bold?.look?.bold);
  assert.equal(bold?.look?.fg, 1);
  assert.equal(rest?.look, undefined);
  const look = (codes: string) => pieces(`${ESC}[${codes}mx`)[0]?.look;
  assert.equal(look("38;5;208")?.fg, 208);
  assert.equal(look("48;2;1;2;3")?.bg, TRUE | 0x010203);
  assert.equal(look("38:2::1:2:3")?.fg, TRUE | 0x010203);
  assert.equal(look("38:5:9")?.fg, 9);
  assert.equal(look("97;104")?.fg, 15);
  assert.equal(look("97;104")?.bg, 12);
  assert.equal(look("38;5;999")?.fg, undefined);
  assert.equal(look("38;2;1")?.fg, undefined);
  assert.equal(look("38;5;1;4")?.underline, true);
  assert.equal(look(""), undefined);
  assert.equal(look("8"), undefined, "hidden text is shown");
});

test("what moves, wipes, sets a title or links is a mark", () => {
  assert.deepEqual(texts(`a${ESC}[2Jb${ESC}[1;1Hc`), ["a", "<^[>", "b", "<^[>", "c"]);
  assert.deepEqual(texts(`${ESC}]0;title\u0007x`), ["<^[>", "x"]);
  assert.deepEqual(texts(`${ESC}]8;;http://evil${ESC}\\text${ESC}]8;;${ESC}\\`), ["<^[>", "text", "<^[>"]);
  assert.deepEqual(texts(`${ESC}P+q544e${ESC}\\x`), ["<^[>", "x"]);
  assert.deepEqual(texts(`${ESC}]0;never closed`), ["<^[>", "0;never closed"], "nothing is swallowed");
  assert.deepEqual(texts(`x${ESC}`), ["x", "<^[>"]);
  assert.deepEqual(texts(`${ESC}c${ESC}(B`), ["<^[>", "<^[>"]);
  assert.match(pieces(`${ESC}[2J`)[0]?.mark ?? "", /ESC \[2J/);
});

test("what cannot be seen is seen", () => {
  assert.deepEqual(texts("a\u0000b\u0007\u0008"), ["a", "<^@>", "b", "<^G>", "<^H>"]);
  assert.deepEqual(texts("\u007f\u009b31m"), ["<^?>", "<‹U+009B›>", "31m"]);
  assert.deepEqual(texts("user\u202egnp.exe"), ["user", "<‹U+202E›>", "gnp.exe"]);
  assert.match(pieces("\u202e")[0]?.mark ?? "", /right-to-left override/);
  assert.deepEqual(texts("a\u200b\ufeffb\u2028c"), ["a", "<‹U+200B›>", "<‹U+FEFF›>", "b", "<‹U+2028›>", "c"]);
  assert.deepEqual(texts("tag\u{e0041}"), ["tag", "<‹U+E0041›>"]);
  assert.deepEqual(texts("10%\r20%\r"), ["10%", "<^M>", "20%"], "one at the end is Windows'");
  assert.deepEqual(texts("👩‍👩‍👧 नमस्ते"), ["👩‍👩‍👧 नमस्ते"], "joiners of letters and pictures stay");
});

test("HTML is text", () => {
  const html = "<img src=x onerror=alert(1)>";
  assert.deepEqual(pieces(html), [{ text: html, look: undefined, mark: "" }]);
});

test("nothing of a line is lost, and nothing unseen is left", () => {
  let seed = 5;
  const random = (below: number) => ((seed = (seed * 48271) % 0x7fffffff) >> 3) % below;
  const bits = ["a", "ß", ESC, "[", "]", "0", ";", "m", "J", "\u0007", "\\", "\u202e", "\u0000", "P", " ", "\u{1f600}", "\ud800"];
  for (let run = 0; run < 3000; run++) {
    const text = Array.from({ length: random(14) }, () => bits[random(bits.length)]).join("");
    const whole = pieces(text).map((piece) => piece.text).join("");
    assert.doesNotMatch(whole, /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202e]/);
    assert.doesNotMatch(plain(text), /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202e]/);
    const letters = (of: string) => of.replace(/[^aß\u{1f600}]/gu, "").length;
    const bare = text.replaceAll(/\u001b\](?:[^\u0007\u001b]*(?:\u0007|\u001b\\))|\u001bP[^\u001b]*\u001b\\/g, "");
    if (!bare.includes(ESC)) assert.equal(letters(whole), letters(bare));
  }
});

test("plain text for searching and copying", () => {
  assert.equal(plain(`${ESC}[1;31mfailed${ESC}[0m \u0000 x\u202ey\r`), "failed ^@ x‹U+202E›y");
});

test("a hostile line takes no long time", () => {
  const long = `${ESC}]`.repeat(50_000) + `${ESC}P`.repeat(50_000);
  assert.ok(pieces(long).length > 0);
  assert.ok(plain(`${ESC}[`.repeat(100_000)).length < 200_001);
});
