/** What the kernel says of a forward; bytes since its beginning. */

export interface Data {
  target: string;
  /** The port as it was asked for: a service's, a pod's, or a name. */
  wanted: string;
  cluster: string;
  pod: string;
  podPort: number;
  /** Of the local port; "" where there is none any more. */
  url: string;
  state: string;
  reason: string;
  connections: number;
  total: number;
  sent: number;
  received: number;
  errors: number;
  error: string;
}

const TONES: Record<string, string> = { listening: "good", starting: "", closed: "", offline: "warn", lost: "warn" };

/** The tone of a state: good, warn, bad, or none. */
export function tone(state: string): string {
  return TONES[state] ?? "bad";
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const LOCAL = /^http:\/\/127\.0\.0\.1:\d{1,5}$/;

/** The forward's address, if it is one of the machine's own; else undefined, and never anything that runs. */
export function address({ url }: Data): string | undefined {
  return LOCAL.test(url) ? `${url}/` : undefined;
}

/** Whether a page from this host is shown on the machine where the forward listens, most likely. */
export function isHere(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}
