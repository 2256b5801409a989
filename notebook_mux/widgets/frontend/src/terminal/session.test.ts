import assert from "node:assert/strict";
import test from "node:test";

import { FakeGateway, FakeScreen, FakeWay } from "./fake_gateway";
import { encode, frame, joined, parseFrame, stdinFrame, STDERR, STDOUT, VIEW } from "./frames";
import { Session } from "./session";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
const at = (text: string) => Uint8Array.from(text.split(/\s+/), (pair) => parseInt(pair, 16));
const live = () => frame(VIEW, JSON.stringify({ live: true }));
const shown = (more: Record<string, unknown> = {}) =>
  JSON.stringify({ type: "shown", stream: 1, place: 0, taken: 0, credit: 64, columns: 80, rows: 24, kept: 600, ...more });

/** A session whose sends go at once. */
function begin(gateway?: FakeGateway) {
  const screen = new FakeScreen();
  const session = new Session("0123456789abcdef", screen, (task) => task());
  const way = new FakeWay(gateway);
  way.answer = (items) => session.receive(way, items);
  return { screen, session, way };
}

test("the protocol's own frames", () => {
  const [stream, channel, ...rest] = [1, 0];
  assert.deepEqual([stream, channel, rest], [1, 0, []]);
  // as in PROTOCOL.md, "Terminals", with a page's stream id
  assert.equal(hex(stdinFrame(12, encode("ls\r"))), "00 00 00 01 00 00 00 00 00 00 00 00 0c 6c 73 0d");
  const screen = parseFrame(at("00 00 00 01  01  68 69 0d 0a"));
  assert.deepEqual([screen?.stream, screen?.channel, hex(screen?.payload ?? new Uint8Array())], [1, 1, "68 69 0d 0a"]);
  assert.equal(hex(live()), "00 00 00 01 14 7b 22 6c 69 76 65 22 3a 74 72 75 65 7d");
  assert.equal(parseFrame(at("00 00 00 01")), undefined);
});

test("a view asks with its size, draws what is shown again, and is open when it is live", () => {
  const gateway = new FakeGateway();
  gateway.happen({ state: "running", command: ["bash"] });
  gateway.print("hello\r\n");
  const { screen, session, way } = begin(gateway);
  session.resize(100, 30);
  session.connect(way);
  assert.deepEqual(way.of("view"), [
    { type: "view", stream: 1, terminal: "", view: "0123456789abcdef", columns: 100, rows: 30, credit: way.window, received: -1 },
  ]);
  assert.equal(screen.text, "hello\r\n");
  assert.deepEqual([session.phase, session.live, session.open, session.kept], ["shown", true, true, 600]);
  assert.deepEqual(screen.marks, ["80x24", "running at 0"]);
});

test("nothing typed and no answer goes out before what is shown again is drawn", () => {
  const { screen, session, way } = begin();
  screen.lazy = true;
  assert.equal(session.type(encode("early")), false);
  session.connect(way);
  session.reply(encode("\x1b[?1;2c"));
  session.receive(way, [shown(), frame(STDOUT, encode("\x1b[c")), live()]);
  session.reply(encode("\x1b[?1;2c")); // of a query in the replay
  assert.equal(session.open, false);
  screen.settle();
  assert.equal(session.open, true);
  assert.equal(way.input, "");
  session.reply(encode("\x1b[1;1R"));
  assert.equal(way.input, "\x1b[1;1R");
});

test("a pane that only looks sends nothing at all", () => {
  const gateway = new FakeGateway();
  const { session, way } = begin(gateway);
  session.connect(way);
  session.readonly = true;
  assert.equal(session.type(encode("rm -rf /\r")), false);
  session.reply(encode("\x1b[?1;2c"));
  assert.equal(way.input, "");
});

test("input is numbered, goes in pieces, and only as far as the gateway allows", () => {
  const { session, way } = begin();
  session.connect(way);
  session.receive(way, [shown({ taken: 12, credit: 10 }), live()]);
  session.type(encode("0123456789abcdef"));
  const frames = () => way.sent.filter((item): item is Uint8Array => typeof item !== "string");
  assert.deepEqual(frames().map(hex), [hex(stdinFrame(12, encode("0123456789")))]);
  session.receive(way, [JSON.stringify({ type: "credit", stream: 1, bytes: 4 })]);
  session.receive(way, [JSON.stringify({ type: "credit", stream: 1, bytes: 40_000 })]);
  assert.equal(way.input, "0123456789abcdef");
  session.type(new Uint8Array(40_000 - 2).fill(120));
  assert.deepEqual(frames().slice(-3).map((bytes) => bytes.length - 13), [16384, 16384, 40_000 - 2 - 2 * 16384]);
});

test("credit is for what is drawn, with its head, and only then", () => {
  const { screen, session, way } = begin();
  session.connect(way);
  session.receive(way, [shown(), live()]);
  screen.lazy = true;
  const piece = frame(STDOUT, new Uint8Array(way.window / 8));
  session.receive(way, [piece, piece, piece]);
  assert.deepEqual(way.of("credit"), []);
  screen.settle();
  assert.deepEqual(way.of("credit").map((one) => one["bytes"]), [live().length + 2 * piece.length]);
  session.cut();
  session.connect(way);
  session.receive(way, [shown({ place: session.place })]);
  screen.settle();
  assert.equal(way.of("credit").length, 1);
});

test("a place counts payloads of output and of events, and a new way goes on from it", () => {
  const gateway = new FakeGateway();
  gateway.happen({ state: "running", command: ["sh"] });
  gateway.print("one ");
  gateway.print("two ", STDERR);
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  const before = session.place;
  assert.equal(before, joined(gateway.ring.map(([, payload]) => payload)).length);
  gateway.print("three");
  const other = new FakeWay(gateway);
  other.answer = (items) => session.receive(other, items);
  session.connect(other);
  assert.equal(gateway.views[1]?.["received"], before);
  assert.equal(screen.text, "one two three");
  assert.equal(screen.cleared, 0);
  assert.equal(way.of("unsubscribe").length, 1);
  // what the earlier way still brings is not drawn twice
  session.receive(way, [frame(STDOUT, encode("three"))]);
  assert.equal(screen.text, "one two three");
});

test("an event that was waiting to be drawn when the way changed comes again", () => {
  const gateway = new FakeGateway();
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  screen.lazy = true;
  session.receive(way, [gateway.print("bye"), gateway.happen({ state: "ended", code: 3 })]);
  const other = new FakeWay(gateway);
  other.answer = (items) => session.receive(other, items);
  session.connect(other);
  screen.settle();
  assert.deepEqual(screen.events.map((event) => event.code), [3]);
  assert.equal(screen.text, "bye");
  assert.equal(session.run?.state, "ended");
});

test("what had not come when the way was cut is shown as not sent, and never sent again", () => {
  const { screen, session, way } = begin();
  session.connect(way);
  session.receive(way, [shown({ credit: 4 }), live()]);
  session.type(encode("rm -r /tmp/x\r")); // four bytes go, nine wait
  assert.equal(way.input, "rm -");
  session.receive(way, [JSON.stringify({ type: "offline", reason: "connection reset", retry_at: 5 })]);
  assert.deepEqual(screen.unsent, ["r /tmp/x\r"]);
  assert.deepEqual([session.phase, session.reason, session.retryAt], ["away", "connection reset", 5]);
  assert.equal(session.type(encode("y")), false);
  // of the four, two have come
  session.receive(way, [shown({ taken: 2, opened: 2 }), live()]);
  assert.deepEqual(screen.unsent, ["r /tmp/x\r", " -"]);
  assert.deepEqual(way.of("seen").map((one) => one["opened"]), [2]);
  session.type(encode("z"));
  const last = way.sent.at(-1) as Uint8Array;
  assert.equal(hex(last), hex(stdinFrame(2, encode("z"))));
});

test("keys typed while the way changes wait for the new one", () => {
  const gateway = new FakeGateway();
  gateway.happen({ state: "running", command: ["sh"] });
  gateway.print("$ ");
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  const other = new FakeWay();
  session.connect(other);
  assert.equal(session.type(encode("ls\r")), true);
  assert.equal(other.input, "");
  session.receive(other, [shown({ place: session.place })]);
  assert.equal(other.input, "");
  session.receive(other, [live()]);
  assert.equal(other.input, "ls\r");
  assert.deepEqual(screen.unsent, []);
});

test("behind bytes that were lost nothing typed later is sent", () => {
  const gateway = new FakeGateway();
  gateway.print("$ ");
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  way.gateway = undefined; // from here on the kernel is busy
  session.type(encode("echo "));
  const other = new FakeWay();
  session.connect(other);
  session.type(encode("one\r"));
  session.receive(other, [shown({ place: session.place, taken: 0 }), live()]);
  assert.deepEqual(screen.unsent, ["echo one\r"]);
  assert.equal(other.input, "");
});

test("everything shown again begins with an empty screen; a gap is marked", () => {
  const gateway = new FakeGateway();
  gateway.print("abc");
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  session.receive(way, [frame(VIEW, JSON.stringify({ skipped: 4096, place: 5000 })), frame(STDOUT, encode("later"))]);
  assert.ok(screen.marks.includes("skipped 4096"));
  assert.equal(session.place, 5005);
  session.receive(way, [frame(VIEW, JSON.stringify({ restore: "\x1b[?1049h" }))]);
  assert.ok(screen.text.endsWith("\x1b[?1049h"));
  session.forget();
  session.connect(way);
  assert.equal(way.of("view").at(-1)?.["received"], -1);
  assert.equal(screen.cleared, 1);
  assert.equal(screen.text, "abc");
});

test("another terminal in its place: place, numbers and screen begin anew", () => {
  const gateway = new FakeGateway();
  gateway.print("old");
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  session.type(encode("a"));
  gateway.ring.length = 0;
  gateway.taken.clear();
  gateway.print("new");
  session.receive(way, [JSON.stringify({ type: "renewed" })]);
  assert.equal(screen.text, "new");
  assert.equal(screen.cleared, 1);
  session.type(encode("b"));
  assert.equal(gateway.input("0123456789abcdef"), "b");
});

test("an ended program takes nothing, and the next run does", () => {
  const gateway = new FakeGateway();
  gateway.happen({ state: "running", command: ["sh"] });
  const { session, way } = begin(gateway);
  session.connect(way);
  session.receive(way, [gateway.happen({ state: "ended", code: 0 })]);
  assert.equal(session.open, false);
  assert.equal(session.type(encode("x")), false);
  session.receive(way, [gateway.happen({ run: 2, state: "running", command: ["sh"] })]);
  session.type(encode("y"));
  assert.equal(way.input, "y");
});

test("another shell of the same run, because the first is not there", () => {
  const gateway = new FakeGateway();
  gateway.happen({ state: "running", command: ["bash"] });
  gateway.happen({ state: "running", command: ["sh"] });
  gateway.happen({ state: "ended", code: 0 });
  gateway.happen({ run: 2, state: "running", command: ["sh"] });
  const { screen, session, way } = begin(gateway);
  session.connect(way);
  assert.deepEqual(screen.events.map((event) => event.instead), [undefined, true, undefined, undefined]);
});

test("a refused view says why; refused input and a smaller size are told", () => {
  const { screen, session, way } = begin();
  session.connect(way);
  session.receive(way, [shown(), live(), frame(VIEW, JSON.stringify({ columns: 60, rows: 10 }))]);
  assert.deepEqual([session.columns, session.rows], [60, 10]);
  session.receive(way, [frame(VIEW, JSON.stringify({ refused: 3, code: "write-refused", what: "may only look", todo: "ask" }))]);
  assert.equal(screen.marks.at(-1), "refused 3: may only look · ask");
  session.receive(way, [JSON.stringify({ type: "ended", stream: 1, code: "not-found", what: "no such terminal" })]);
  assert.deepEqual([session.phase, session.reason, session.open], ["refused", "no such terminal", false]);
});

test("sizes are said once each, and not where nobody looks", () => {
  const { session, way } = begin();
  session.resize(80, 24);
  session.connect(way);
  session.resize(80, 24);
  session.resize(90, 24);
  session.leave();
  session.resize(91, 24);
  assert.deepEqual(way.of("size"), [{ type: "size", columns: 90, rows: 24, stream: 1 }]);
  assert.equal(way.of("unsubscribe").length, 1);
});

test("what nobody knows is ignored and counted", () => {
  const { screen, session, way } = begin();
  session.connect(way);
  session.receive(way, ["{not json", JSON.stringify({ type: "head" }), frame(99, "x"), shown(), live()]);
  session.receive(way, [Uint8Array.of(0, 0, 0, 2, 1, 65)]);
  assert.equal(screen.text, "");
  assert.equal(session.open, true);
});
