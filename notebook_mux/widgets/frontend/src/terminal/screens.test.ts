/** Screens as xterm.js draws them, without a page: in pieces through a session, and whole; what hostile output may do. */

import assert from "node:assert/strict";
import test from "node:test";

import { SerializeAddon } from "@xterm/addon-serialize";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import headless, { type Terminal as Headless } from "@xterm/headless";

import { drawEvent, drawSkipped, RESET } from "./drawing";
import { FakeGateway, FakeWay } from "./fake_gateway";
import { encode, frame, HEAD_BYTES, joined, type RunEvent, STDOUT, VIEW } from "./frames";
import { putGates, safeTarget } from "./gates";
import { type Screen, Session } from "./session";

const COLUMNS = 40;
const ROWS = 10;

class Drawing implements Screen {
  readonly terminal: Headless;
  readonly answers: string[] = [];
  readonly unsent: string[] = [];
  mayAnswer = false;
  session: Session | undefined;
  #serialize = new SerializeAddon();

  constructor() {
    this.terminal = new headless.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true, scrollback: 10_000 });
    this.terminal.loadAddon(this.#serialize);
    this.terminal.loadAddon(new Unicode11Addon() as never);
    this.terminal.unicode.activeVersion = "11";
    putGates(this.terminal.parser, () => this.mayAnswer && this.session?.open === true);
    this.terminal.onData((data) => {
      this.answers.push(data);
      this.session?.reply(encode(data));
    });
  }

  write(data: Uint8Array | string, done: () => void): void {
    this.terminal.write(data, done);
  }
  clear(): void {
    this.terminal.write(RESET);
  }
  event(event: RunEvent): void {
    drawEvent(this.terminal, event);
  }
  skipped(bytes: number): void {
    drawSkipped(this.terminal, bytes);
  }
  sized(): void {}
  notSent(text: string): void {
    this.unsent.push(text);
  }
  refused(): void {}
  changed(): void {}

  /** When all that was written is parsed: everything there is, colours, cursor and modes too. */
  async all(): Promise<string> {
    await this.parsed();
    return this.#serialize.serialize();
  }

  async parsed(): Promise<void> {
    // twice: what was parsed may have written more
    for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((done) => this.terminal.write("", done));
  }

  async lines(): Promise<string[]> {
    await this.parsed();
    const { active } = this.terminal.buffer;
    return Array.from({ length: active.length }, (_, at) => active.getLine(at)?.translateToString(true) ?? "");
  }
}

/** As vttest does, in small: each leaves a screen that is easily told from any other. */
const SCREENS: Record<string, string | Uint8Array> = {
  "cursor movement":
    "\x1b[2J\x1b[5;10HX\x1b[3A^\x1b[2Bv\x1b[20D<\x1b[99C>\x1b[99B_\x1b[HO\x1b[4;7fF\x1b7saved\x1b[10;1Hend\x1b8S\x1bD\x1bM\x1bE.",
  "a frame of E and a box of + (DECALN)": "\x1b#8\x1b[9;10H\x1b[1J\x1b[18;60H\x1b[0J\x1b[1K\x1b[9;71H\x1b[0K\x1b[2;2H+++\x1b[3;2H+ +\x1b[4;2H+++",
  "wrapping at the margin": `\x1b[?7h${"0123456789".repeat(9)}\r\n\x1b[?7l${"abcdefghij".repeat(6)}\x1b[?7h`,
  "scroll regions":
    "\x1b[2J\x1b[3;7r\x1b[3;1H1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\x1b[3;1H\x1bMtop\x1b[7;1H\nbottom\x1b[?6h\x1b[1;1Horigin\x1b[?6l\x1b[r\x1b[10;1Hfoot\x1b[2S\x1b[1T",
  "insert and delete": "abcdefgh\x1b[3D\x1b[2@\x1b[4hXY\x1b[4l\r\nline 2\r\nline 3\r\nline 4\x1b[2;1H\x1b[L\x1b[3;1H\x1b[M\x1b[2;3H\x1b[2P\x1b[3X",
  "tabs": "\x1b[3g\x1b[5G\x1bH\x1b[17G\x1bH\ra\tb\tc\td\x1b[Zz\r\n\x1b[0g\t.",
  "the alternate screen": "normal\r\n\x1b[?1049h\x1b[2J\x1b[3;3Halternate\x1b[?25l",
  "there and back": "before\x1b[?1049hinside\x1b[5;5H*\x1b[?1049l after",
  "colours": "\x1b[31mred\x1b[1;92mgreen\x1b[48;5;33mfive\x1b[38;2;1;2;3;48:2::4:5:6mtrue\x1b[7mback\x1b[27;4:3mcurl\x1b[0m\x1b[9mgone\x1b[m",
  "wide and combining": "漢字かな ｶﾅ 한글 🙂👍🏽 e\u0301 \u{1F1E9}\u{1F1EA} ﷽\r\n" + "宽".repeat(30),
  "line drawing": "\x1b(0lqqqk\r\nx\x1b(Bab \x1b(0x\r\nmqqqj\x1b(B \x0e\x1b)0q\x0fq",
  "broken UTF-8": joined([encode("a"), Uint8Array.of(0xff, 0xe2, 0x82, 0x41, 0xf0, 0x9f, 0x99), encode("\r\nb"), Uint8Array.of(0xc3)]),
  "binary": Uint8Array.from({ length: 2048 }, (_, at) => (at * 151 + (at >> 3)) & 0xff),
  "a long scroll": Array.from({ length: 300 }, (_, at) => `\x1b[3${at % 8}mline ${at}\x1b[0m`).join("\r\n"),
};

/** Small and repeatable (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const shown = (place = 0) =>
  JSON.stringify({ type: "shown", stream: 1, place, taken: 0, credit: 65536, columns: COLUMNS, rows: ROWS });
const live = () => frame(VIEW, JSON.stringify({ live: true }));

function started(): { drawing: Drawing; session: Session; way: FakeWay } {
  const drawing = new Drawing();
  const session = new Session("0123456789abcdef", drawing);
  drawing.session = session;
  const way = new FakeWay();
  session.connect(way);
  session.receive(way, [shown()]);
  return { drawing, session, way };
}

for (const [name, data] of Object.entries(SCREENS)) {
  test(`in pieces as whole: ${name}`, async () => {
    const bytes = typeof data === "string" ? encode(data) : data;
    const whole = new Drawing();
    whole.terminal.write(bytes);
    const expected = await whole.all();
    for (let seed = 1; seed <= 12; seed += 1) {
      const dice = random(seed);
      const { drawing, session, way } = started();
      let other: FakeWay = way;
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + Math.floor(dice() ** 3 * (seed % 2 === 0 ? 300 : 7));
        const items = [frame(STDOUT, bytes.subarray(at, at + size))];
        at += size;
        if (dice() < 0.2) items.push(live());
        session.receive(other, items);
        if (dice() < 0.1) await drawing.parsed();
        if (dice() < 0.1) {
          // the way changes anywhere, within a character or a sequence too
          other = new FakeWay();
          session.connect(other);
          session.receive(other, [shown(session.place)]);
          at = session.place; // what was held back to be drawn later comes again
        }
      }
      session.receive(other, [live()]);
      assert.equal(await drawing.all(), expected, `seed ${seed}`);
      assert.deepEqual(drawing.terminal.buffer.active.cursorX, whole.terminal.buffer.active.cursorX);
    }
  });
}

/** Each makes an xterm answer. */
const QUERIES: Record<string, string> = {
  "DA1": "\x1b[c", "DA2": "\x1b[>c", "DA3": "\x1b[=c", "CPR": "\x1b[6n", "DSR": "\x1b[5n", "DECXCPR": "\x1b[?6n",
  "DECRQM": "\x1b[?25$p", "ANSI mode": "\x1b[4$p", "DECRQSS": "\x1bP$qm\x1b\\", "XTVERSION": "\x1b[>q",
  "text colour": "\x1b]10;?\x07", "back colour": "\x1b]11;?\x1b\\", "colour 4": "\x1b]4;4;?\x07", "cursor colour": "\x1b]12;?\x07",
  "window size": "\x1b[18t", "cell size": "\x1b[16t", "title": "\x1b[21t", "colour scheme": "\x1b[?996n", "terminfo": "\x1bP+q544e\x1b\\",
  "clipboard": "\x1b]52;c;?\x07", "ENQ": "\x05", "DECREQTPARM": "\x1b[x", "keyboard": "\x1b[?u", "checksum": "\x1b[1;1;1;1;1;1*y",
  "display": "\x1b[?26n", "printer": "\x1b[?15n", "focus": "\x1b[?1004h",
};

for (const [name, query] of Object.entries(QUERIES)) {
  test(`no answer from a replay, a pane that only looks, or a second view: ${name}`, async () => {
    const { drawing, session, way } = started();
    drawing.mayAnswer = true;
    session.receive(way, [frame(STDOUT, encode(query)), live()]);
    await drawing.parsed();
    assert.equal(session.open, true);
    session.readonly = true;
    session.receive(way, [frame(STDOUT, encode(query))]);
    await drawing.parsed();
    session.readonly = false;
    drawing.mayAnswer = false;
    session.receive(way, [frame(STDOUT, encode(query))]);
    await drawing.parsed();
    assert.equal(way.input, "", JSON.stringify(way.input));
  });
}

test("a live view that may answer does", async () => {
  const { drawing, session, way } = started();
  drawing.mayAnswer = true;
  session.receive(way, [live(), frame(STDOUT, encode("ab\x1b[6n\x1b[c\x1b[?25$p"))]);
  await drawing.parsed();
  await Promise.resolve();
  assert.ok(way.input.startsWith("\x1b[1;3R\x1b[?"), JSON.stringify(way.input));
});

test("titles, clipboard, notifications and window operations do nothing", async () => {
  const { drawing, session, way } = started();
  drawing.mayAnswer = true;
  const titles: string[] = [];
  drawing.terminal.onTitleChange((title) => titles.push(title));
  const { cols, rows } = drawing.terminal;
  const hostile =
    "\x1b]0;rm -rf\x07\x1b]2;rm\x1b\\\x1b[21t\x1b[22t\x1b[23t\x1b[8;99;199t\x1b[3;0;0t\x1b[2t\x1b]52;c;cm0gLXJmIC8=\x07\x1b]9;hi\x07\x1b]777;notify;a;b\x07\x1b]1337;File=inline=1:AAAA\x07";
  session.receive(way, [live(), frame(STDOUT, encode(`${hostile}done`))]);
  assert.deepEqual(await drawing.lines(), ["done", ...Array.from({ length: ROWS - 1 }, () => "")]);
  assert.deepEqual(titles, []);
  assert.deepEqual([drawing.terminal.cols, drawing.terminal.rows], [cols, rows]);
  assert.equal(way.input, "");
});

test("only http and https can be opened", () => {
  for (const target of ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vscode://x", "blob:http://a/b", "x", ""]) {
    assert.equal(safeTarget(target), undefined, target);
  }
  assert.equal(safeTarget("https://example.com/a?b")?.host, "example.com");
  assert.equal(safeTarget("http://еxample.com")?.host, "xn--xample-2of.com"); // a Cyrillic letter is seen
});

test("quiet lines: which program, its end, in words that drive nothing", async () => {
  const { drawing, session, way } = started();
  const gateway = new FakeGateway();
  session.receive(way, [
    gateway.happen({ state: "running", command: ["sh", "-c", "\x1b]0;evil\x07\x1b[2J"] }),
    gateway.print("$ exit 3"),
    gateway.happen({ state: "ended", code: 3, message: "command terminated with non-zero exit code" }),
    live(),
  ]);
  const lines = await drawing.lines();
  assert.deepEqual(lines.slice(0, 3), ["── sh -c  ]0;evil [2J ──", "$ exit 3", "── ended with exit code 3 · press Enter "]);
});

test("a program that ends in the alternate screen, with mouse and margins, leaves a usable one", async () => {
  const { drawing, session, way } = started();
  const gateway = new FakeGateway();
  session.receive(way, [
    gateway.print("first\r\n\x1b[?1049h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b[2;4r\x1b[?6h\x1b[?25l\x1b[4hvim\x1b[3"),
    gateway.happen({ state: "lost", what: "the stream broke", said: "EOF", todo: "" }),
    gateway.print("\r\n$ "),
    live(),
  ]);
  await drawing.parsed();
  const { modes, buffer } = drawing.terminal;
  assert.equal(buffer.active.type, "normal");
  assert.equal(modes.mouseTrackingMode, "none");
  assert.deepEqual([modes.bracketedPasteMode, modes.applicationCursorKeysMode, modes.originMode, modes.insertMode], [false, false, false, false]);
  const lines = await drawing.lines();
  assert.equal(lines[0], "first");
  assert.ok(lines.some((line) => line.startsWith("── lost: the stream broke · EOF")), lines.join("\n"));
});

test("what is left out is marked, also within a sequence", async () => {
  const { drawing, session, way } = started();
  session.receive(way, [
    frame(STDOUT, encode("abc\x1b[38;2;")),
    frame(VIEW, JSON.stringify({ skipped: 1234567, place: 2_000_000 })),
    frame(STDOUT, encode("def")),
    live(),
  ]);
  const lines = await drawing.lines();
  assert.deepEqual(lines.slice(0, 3), ["abc", "── 1\u202f234\u202f567 bytes were left out here ──", "def"]);
});

test("ten thousand lines are kept, and everything is granted", async () => {
  const { drawing, session, way } = started();
  let sent = 0;
  for (let part = 0; part < 20; part += 1) {
    const text = Array.from({ length: 1000 }, (_, at) => `line ${part * 1000 + at}`).join("\r\n") + "\r\n";
    const bytes = frame(STDOUT, encode(text));
    sent += bytes.length;
    session.receive(way, [bytes]);
  }
  await drawing.parsed();
  assert.equal(drawing.terminal.buffer.active.length, 10_000 + ROWS);
  const granted = way.of("credit").reduce((sum, one) => sum + Number(one["bytes"]), 0);
  assert.ok(sent - granted < 256 * 1024 + 15_000 && granted % HEAD_BYTES >= 0);
});
