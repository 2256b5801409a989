import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { BACK_BYTES, BACK_PICTURE_MS, GIVEN_BYTES, Pace, type Parser, PICTURE_MS, PIECE_BYTES, QUIET_MS, REST_MS } from "./pace";

let clock = 0;

/** A terminal that parses when it is told to, and draws when it may. */
class FakeParser implements Parser {
  readonly rows = 24;
  readonly queue: [Uint8Array | string, () => void][] = [];
  readonly modes = { synchronizedOutput: false };
  text = "";
  pictures = 0;
  #rendered: () => void = () => undefined;

  write(data: Uint8Array | string, callback: () => void): void {
    this.queue.push([data, callback]);
  }

  refresh(): void {
    if (this.modes.synchronizedOutput) return;
    this.pictures += 1;
    this.#rendered();
  }

  onRender(listener: () => void): void {
    this.#rendered = listener;
  }

  get given(): number {
    return this.queue.reduce((sum, [data]) => sum + data.length, 0);
  }

  parse(count = Infinity): void {
    for (; count > 0 && this.queue.length > 0; count -= 1) {
      const [data, callback] = this.queue.shift() as [Uint8Array | string, () => void];
      this.text += typeof data === "string" ? data : new TextDecoder("latin1").decode(data);
      callback();
    }
  }
}

function begin() {
  const parser = new FakeParser();
  return { parser, pace: new Pace(parser, () => parser.modes, () => clock) };
}

const flood = (bytes: number) => new Uint8Array(bytes).map((_, at) => 97 + (at % 26));

test("everything is drawn in order, in small pieces, and each write is told once it is through", () => {
  const { parser, pace } = begin();
  const told: number[] = [];
  const data = flood(3 * GIVEN_BYTES + 5);
  pace.write(data, () => told.push(1));
  pace.write("text", () => told.push(2));
  pace.write(new Uint8Array(), () => told.push(3));
  assert.ok(parser.given >= GIVEN_BYTES && parser.given < GIVEN_BYTES + PIECE_BYTES);
  assert.ok(parser.queue.every(([piece]) => piece.length <= PIECE_BYTES));
  parser.parse();
  assert.equal(parser.text, `${new TextDecoder("latin1").decode(data)}text`);
  assert.deepEqual(told, [1, 2, 3]);
});

test("a flood is drawn now and then, and what it ends with at once", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { parser, pace } = begin();
    pace.write(flood(10 * GIVEN_BYTES), () => undefined);
    assert.equal(parser.modes.synchronizedOutput, true);
    parser.parse(2);
    mock.timers.tick(PICTURE_MS);
    assert.deepEqual([parser.pictures, parser.modes.synchronizedOutput], [1, true], "one picture, and on");
    parser.parse();
    assert.deepEqual([parser.pictures, parser.modes.synchronizedOutput], [1, true], "more may come at once");
    mock.timers.tick(QUIET_MS);
    assert.deepEqual([parser.pictures, parser.modes.synchronizedOutput], [2, false], "the end is shown");
    pace.write("a key's echo", () => undefined);
    assert.equal(parser.modes.synchronizedOutput, false);
    parser.parse();
    pace.dispose();
  } finally {
    mock.timers.reset();
  }
});

test("a program that draws by the switch itself has it", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { parser, pace } = begin();
    pace.write(flood(GIVEN_BYTES), () => undefined);
    pace.program(true);
    mock.timers.tick(10 * PICTURE_MS);
    parser.parse();
    assert.deepEqual([parser.modes.synchronizedOutput, parser.pictures], [true, 0]);
    pace.program(false);
    parser.modes.synchronizedOutput = false;
    pace.write(flood(GIVEN_BYTES), () => undefined);
    assert.equal(parser.modes.synchronizedOutput, true);
    parser.parse();
    pace.dispose();
  } finally {
    mock.timers.reset();
  }
});

test("a flood goes slowly while another terminal is in hand, and fast again when it is not", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const one = begin();
    const other = begin();
    one.pace.inHand(true);
    one.pace.write(flood(10 * GIVEN_BYTES), () => undefined);
    assert.ok(one.parser.given >= GIVEN_BYTES, "it is in hand itself");
    other.pace.inHand(true);
    one.parser.parse();
    const before = one.parser.text.length;
    assert.equal(one.parser.given, 0, "it rests");
    mock.timers.tick(REST_MS.least);
    assert.equal(one.parser.given, BACK_BYTES);
    clock += REST_MS.least;
    one.parser.parse();
    assert.equal(one.parser.text.length, before + BACK_BYTES);
    mock.timers.tick(REST_MS.least);
    assert.equal(one.parser.given, 0, "as much longer as the piece has taken");
    mock.timers.tick(REST_MS.most);
    assert.equal(one.parser.given, BACK_BYTES);
    other.pace.write("e", () => undefined);
    assert.equal(other.parser.given, 1, "the echo itself does not wait");
    other.pace.inHand(false);
    one.parser.parse(1);
    assert.ok(one.parser.given >= GIVEN_BYTES);
    one.parser.parse();
    assert.equal(one.parser.text, new TextDecoder("latin1").decode(flood(10 * GIVEN_BYTES)), "nothing lost on the way");
    one.pace.dispose();
  } finally {
    mock.timers.reset();
  }
});

test("few lines behind the terminal in hand do not wait, and its floods are drawn seldom", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const one = begin();
    const other = begin();
    other.pace.inHand(true);
    one.pace.write(flood(BACK_BYTES), () => undefined);
    one.pace.write("more", () => undefined);
    assert.equal(one.parser.given, BACK_BYTES + 4);
    one.parser.parse();
    one.pace.write(flood(10 * GIVEN_BYTES), () => undefined);
    one.parser.parse(1);
    mock.timers.tick(PICTURE_MS);
    assert.equal(one.parser.pictures, 0);
    mock.timers.tick(BACK_PICTURE_MS);
    assert.equal(one.parser.pictures, 1);
    one.pace.dispose();
    other.pace.dispose();
  } finally {
    mock.timers.reset();
  }
});

test("where there is no switch everything is drawn as it comes", () => {
  const parser = new FakeParser();
  const pace = new Pace(parser, () => undefined);
  pace.write(flood(2 * GIVEN_BYTES), () => undefined);
  parser.parse();
  assert.equal(parser.text.length, 2 * GIVEN_BYTES);
});
