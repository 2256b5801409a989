import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { Connector, type Memory, type Surroundings } from "./connector";
import { FakeGateway, FakeScreen } from "./fake_gateway";
import { encode, type Item, parseObject } from "./frames";
import { Session } from "./session";
import { directUrl, packed, type Socket, unpacked } from "./ways";

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** A WebSocket to a gateway, in memory. */
class FakeSocket implements Socket {
  binaryType = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Item[] = [];
  closed = false;
  #view = "";

  constructor(readonly gateway: FakeGateway) {}

  send(data: string | Uint8Array): void {
    this.sent.push(data);
    if (typeof data === "string" && parseObject(data)["type"] === "view") this.#view = String(parseObject(data)["view"]);
    this.say(this.gateway.answer(data, this.#view));
  }

  say(items: Item[]): void {
    for (const item of items) {
      this.onmessage?.({ data: typeof item === "string" ? item : item.slice().buffer });
    }
  }

  close(): void {
    this.closed = true;
  }
}

/** A page whose kernel passes on to a gateway, and whose server may lead to it directly. */
function begin(more: Partial<Surroundings> = {}) {
  const gateway = new FakeGateway();
  gateway.happen({ state: "running", command: ["bash"] });
  const screen = new FakeScreen();
  const session = new Session("0123456789abcdef", screen, (task) => task());
  const sockets: FakeSocket[] = [];
  const urls: string[] = [];
  let number = 0;
  const comm: Item[] = [];
  const around: Surroundings = {
    tell: ({ items }, buffers) => {
      const said = unpacked(items, buffers.map((buffer) => new DataView(buffer)));
      comm.push(...said);
      for (const item of said) {
        if (typeof item === "string" && parseObject(item)["type"] === "view") number = 0;
        say(gateway.answer(item, session.id));
      }
    },
    ticket: () => Promise.resolve({ ticket: "secret", terminal: "t1", port: 40123, path: "/notebook-mux/terminal" }),
    socket: (url) => {
      urls.push(url);
      const made = new FakeSocket(gateway);
      sockets.push(made);
      return made;
    },
    origin: "https://hub.example",
    config: JSON.stringify({ baseUrl: "/user/me/" }),
    kernel: true,
    ...more,
  };
  const memory: Memory = { unreachable: false };
  const connector = new Connector(session, around, memory);
  screen.changed = () => connector.check();
  function say(items: Item[]) {
    if (items.length > 0) connector.receive(number++, items);
  }
  return { gateway, screen, session, sockets, urls, comm, around, memory, connector, say };
}

test("the comm at once; the page's own WebSocket from where it stood, as soon as it is open", async () => {
  const { gateway, screen, session, sockets, urls, comm, connector, say } = begin();
  gateway.print("one ");
  connector.start();
  assert.equal(connector.way, "comm");
  assert.equal(screen.text, "one ");
  session.type(encode("a"));
  await settled();
  assert.deepEqual(urls, ["wss://hub.example/user/me/proxy/40123/notebook-mux/terminal"]);
  say([gateway.print("two ")]); // still by the comm
  sockets[0]?.onopen?.(undefined as never);
  await settled();
  assert.equal(connector.way, "direct");
  const view = parseObject(sockets[0]?.sent[0] as string);
  assert.deepEqual([view["ticket"], view["terminal"], view["received"]], ["secret", "t1", session.place]);
  assert.equal(parseObject(comm.at(-1) as string)["type"], "unsubscribe");
  sockets[0]?.say([gateway.print("three")]);
  session.type(encode("b"));
  assert.equal(screen.text, "one two three");
  assert.equal(gateway.input(session.id), "ab");
  assert.deepEqual(screen.unsent, []);
  connector.stop();
  assert.equal(sockets[0]?.closed, true);
});

test("where the page cannot get there the comm stays, and nothing is tried again", async () => {
  const { screen, sockets, memory, connector } = begin();
  connector.start();
  await settled();
  sockets[0]?.onerror?.(undefined as never);
  await settled();
  assert.equal(memory.unreachable, true);
  assert.deepEqual([connector.way, sockets.length, screen.unsent.length], ["comm", 1, 0]);
  connector.stop();
  connector.start();
  await settled();
  assert.equal(sockets.length, 1);
  connector.stop();
});

test("no ticket, no server of the page's, another origin: the comm", async () => {
  const none = begin({ ticket: () => Promise.resolve(undefined) });
  none.connector.start();
  await settled();
  assert.equal(none.sockets.length, 0);
  assert.equal(none.memory.unreachable, false);
  assert.equal(directUrl({ origin: "https://a", config: null }, 1, "/x"), undefined);
  assert.equal(directUrl({ origin: "https://a", config: "{" }, 1, "/x"), undefined);
  assert.equal(directUrl({ origin: "vscode-webview://a", config: '{"baseUrl":"/"}' }, 1, "/x"), undefined);
  assert.equal(directUrl({ origin: "http://a:8888", config: '{"baseUrl":"//evil.example/"}' }, 1, "/x"), undefined);
  assert.equal(directUrl({ origin: "http://a:8888", config: '{"baseUrl":"/"}' }, 7, "/x"), "ws://a:8888/proxy/7/x");
});

test("a WebSocket that does not open in time is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { sockets, memory, connector } = begin();
    connector.start();
    await settled();
    mock.timers.tick(5_000);
    await settled();
    assert.deepEqual([sockets[0]?.closed, memory.unreachable, connector.way], [true, true, "comm"]);
    connector.stop();
  } finally {
    mock.timers.reset();
  }
});

test("a WebSocket that ends: the comm goes on where it stood, and it is tried again by and by", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { gateway, screen, session, sockets, connector } = begin();
    connector.start();
    await settled();
    sockets[0]?.onopen?.(undefined as never);
    await settled();
    sockets[0]?.say([gateway.print("by the WebSocket ")]);
    gateway.print("meanwhile ");
    sockets[0]?.onclose?.(undefined as never);
    assert.equal(connector.way, "comm");
    assert.equal(screen.text, "by the WebSocket meanwhile ");
    session.type(encode("x"));
    assert.equal(gateway.input(session.id), "x");
    mock.timers.tick(1_000);
    await settled();
    sockets[1]?.onopen?.(undefined as never);
    await settled();
    assert.equal(connector.way, "direct");
    connector.stop();
  } finally {
    mock.timers.reset();
  }
});

test("a ticket that is refused: the comm", async () => {
  const { session, sockets, connector } = begin();
  connector.start();
  await settled();
  const socket = sockets[0] as FakeSocket;
  socket.gateway.answer = () => [JSON.stringify({ type: "ended", stream: 1, code: "forbidden", what: "the ticket was used" })];
  const gateway = new FakeGateway();
  socket.onopen?.(undefined as never);
  await settled();
  assert.equal(connector.way, "comm");
  assert.notEqual(session.phase, "shown");
  assert.equal(gateway.views.length, 0);
  connector.stop();
});

/** A kernel that gives so many tickets, and then is behind a cell. */
const busyAfter = (count: number) => () =>
  count-- > 0
    ? Promise.resolve({ ticket: "secret", terminal: "t1", port: 40123, path: "/notebook-mux/terminal" })
    : new Promise<undefined>(() => undefined);

test("what is typed while the way changes is sent once, on the new one", async () => {
  let answer: (given: undefined) => void = () => undefined;
  let asked = 0;
  const first = busyAfter(1);
  const ticket = () => (asked++ === 0 ? first() : new Promise<undefined>((done) => (answer = done)));
  const { session, gateway, screen, sockets, connector } = begin({ ticket });
  connector.start();
  await settled();
  session.type(encode("a"));
  sockets[0]?.onopen?.(undefined as never);
  await settled();
  session.type(encode("b"));
  assert.deepEqual([connector.way, gateway.input(session.id)], ["comm", "a"]);
  answer(undefined);
  await settled();
  session.type(encode("c"));
  assert.deepEqual([connector.way, gateway.input(session.id), screen.unsent], ["direct", "abc", []]);
  connector.stop();
});

test("a busy kernel does not hold up the other way for long", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { session, gateway, sockets, connector } = begin({ ticket: busyAfter(1) });
    connector.start();
    await settled();
    sockets[0]?.onopen?.(undefined as never);
    await settled();
    assert.equal(connector.way, "comm");
    session.type(encode("typed"));
    assert.equal(gateway.input(session.id), "", "kept back for the new way");
    mock.timers.tick(1_000);
    await settled();
    assert.equal(connector.way, "direct");
    assert.equal(gateway.input(session.id), "typed");
    connector.stop();
  } finally {
    mock.timers.reset();
  }
});

test("a message of the comm that is missing: looked at again from the last place", () => {
  const { gateway, screen, connector, say } = begin({ config: null });
  connector.start();
  say([gateway.print("one ")]);
  const lost = gateway.print("two ");
  assert.ok(lost.length > 0);
  connector.receive(99, [gateway.print("three")]);
  assert.equal(screen.text, "one two three");
  assert.equal(gateway.views.length, 2);
  connector.receive(99, [gateway.print("of an earlier stream")]);
  connector.stop();
});

test("a hidden page looks away, and comes back to what it has missed", () => {
  const { gateway, screen, comm, connector, say } = begin({ config: null });
  connector.start();
  say([gateway.print("one ")]);
  connector.stop();
  assert.equal(parseObject(comm.at(-1) as string)["type"], "unsubscribe");
  gateway.print("two");
  connector.start();
  assert.equal(screen.text, "one two");
});

test("the kernel goes: nothing is sent on the comm any more", () => {
  const around = { kernel: true, config: null };
  const { session, comm, around: given, connector } = begin(around);
  connector.start();
  Object.defineProperty(given, "kernel", { value: false });
  connector.kernel();
  const before = comm.length;
  assert.deepEqual([session.phase, session.reason], ["away", "the kernel has gone"]);
  session.resize(1, 1);
  connector.stop();
  assert.equal(comm.length, before);
});

test("items are packed and read back, frames by their places", () => {
  const items: Item[] = ["{}", encode("abc"), "{}", encode("")];
  const { items: places, buffers } = packed(items);
  assert.deepEqual(places, ["{}", 0, "{}", 1]);
  assert.deepEqual(unpacked(places, buffers.map((buffer) => new DataView(buffer))), items);
  assert.deepEqual(unpacked(["a", 7, null, {}], []), ["a"]);
  assert.deepEqual(unpacked("a", []), []);
});
