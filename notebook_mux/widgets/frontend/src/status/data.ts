/** What the kernel says of a manager. Times are Unix seconds, lag is in seconds. */

export interface Socket {
  url: string;
  state: string;
  reason: string;
  last_error: string;
  instance: string;
  package: string;
  since: number;
  retry_at: number | null;
  reconnects: number;
  attempts: number;
  bytes_in: number;
  bytes_out: number;
  sockets: number;
  subscriptions: number;
}

export interface Cluster {
  name: string;
  state: string;
  reason: string;
  version: string;
  server: string;
  namespace: string;
  write: boolean;
}

export interface Stream {
  id: string;
  what: string;
  states: Record<string, string>;
  objects: number;
  changes: number;
  skipped: number;
  relists: number;
  bytes: number;
  lag: number;
  last_change: number;
  holders: number;
}

export interface Data {
  socket: Socket;
  clusters: Cluster[];
  streams: Stream[];
}
