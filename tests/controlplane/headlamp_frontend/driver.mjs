// Drives Headlamp's clients by lines of JSON on stdin, and says what they are told by lines on stdout.
//   node driver.mjs http://127.0.0.1:PORT TOKEN [/base]
import { createInterface } from "node:readline";

const [origin, token, base] = process.argv.slice(2);

// The page, before the clients are loaded: they look at it while they are.
const kept = new Map();
globalThis.effects = [];
globalThis.window = { location: { origin }, headlampBaseUrl: base ?? "" };
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
};
for (const name of ["log", "debug", "info", "warn", "error"]) {
  console[name] = (...words) => process.stderr.write(`${words.map(String).join(" ")}\n`);
}

const { WebSocketManager, useWebSocket } = await import("headlamp/lib/k8s/api/v2/multiplexer.ts");
const { useWebSockets } = await import("headlamp/lib/k8s/api/v2/webSocket.ts");
const { clusterFetch } = await import("headlamp/lib/k8s/api/v2/fetch.ts");
const { clusterRequest } = await import("headlamp/lib/k8s/api/v1/clusterRequests.ts");
const { stream } = await import("headlamp/lib/k8s/api/v1/streamingApi.ts");
const { setBackendToken } = await import("headlamp/helpers/getHeadlampAPIHeaders.ts");

setBackendToken(token);

const say = (words) => process.stdout.write(`${JSON.stringify(words)}\n`);
const undo = new Map();
const streams = new Map();

const told = (id) => (event) => say({ id, event });
const failed = (id) => (error) => say({ id, error: error.message });

const deeds = {
  // --- the multiplexer
  async subscribe({ id, cluster, path, query }) {
    undo.set(id, await WebSocketManager.subscribe(cluster, path, query, told(id), failed(id)));
    say({ id, done: "subscribe" });
  },
  hook({ id, cluster, url }) {
    useWebSocket({ url: () => url, enabled: true, cluster, onMessage: told(id), onError: failed(id) });
    undo.set(id, globalThis.effects.pop());
  },
  undo({ id }) {
    undo.get(id)();
    say({ id, done: "undo" });
  },
  async cut() {
    const socket = WebSocketManager.socketMultiplexer;
    await new Promise((resolve) => {
      socket.addEventListener("close", resolve);
      socket.close();
    });
    say({ done: "cut" });
  },
  async connect() {
    await WebSocketManager.connect();
    say({ done: "connect" });
  },
  state({ id }) {
    say({ id, completed: [...WebSocketManager.completedPaths], active: [...WebSocketManager.activeSubscriptions.keys()],
          protocol: WebSocketManager.socketMultiplexer?.protocol ?? null });
  },
  // --- the direct sockets
  watch({ id, cluster, url }) {
    useWebSockets({ connections: [{ cluster, url, onMessage: told(id) }], enabled: true, type: "json" });
    undo.set(id, globalThis.effects.pop());
  },
  stream({ id, cluster, url, protocols, json }) {
    const bytes = (data) =>
      say(typeof data === "string" ? { id, text: data } : { id, bytes: [...new Uint8Array(data)] });
    streams.set(id, stream(url, json ? told(id) : bytes, {
      isJson: json ?? false, cluster, additionalProtocols: protocols,
      connectCb: () => say({ id, done: "stream" }), failCb: () => say({ id, failed: true }),
      reconnectOnFailure: false,
    }));
  },
  async type({ id, bytes }) {
    const socket = streams.get(id).getSocket();
    if (socket.readyState !== WebSocket.OPEN) {
      await new Promise((resolve) => socket.addEventListener("open", resolve));
    }
    say({ id, done: "type", protocol: socket.protocol });
    socket.send(new Uint8Array(bytes));
  },
  cancel({ id }) {
    streams.get(id).cancel();
  },
  // --- REST
  async fetch({ id, cluster, path, init }) {
    const response = await clusterFetch(path, { ...init, cluster }).catch((error) => error);
    say({ id, status: response.status, name: response.name, message: response.message,
          body: response.json ? await response.json() : null });
  },
  async request({ id, cluster, path, init }) {
    const found = await clusterRequest(path, { ...init, cluster }).catch((error) => error);
    say(found instanceof Error ? { id, error: found.message, status: found.status } : { id, body: found });
  },
};

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const words = JSON.parse(line);
  deeds[words.do](words);
}
process.exit(0);
