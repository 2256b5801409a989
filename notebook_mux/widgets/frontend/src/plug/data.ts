/** What the kernel says of a plug. Times are Unix seconds. */

export interface Row {
  Source: string;
  Received: number;
  Missing: number;
  Folded: number;
  Twice: number;
  Late: number;
  Last: number | null;
  "Longest gap": number;
}

export interface Cut {
  what: string;
  at: number;
  /** Seconds until a number that was written after it was here; null while there is none. */
  back: number | null;
}

export interface Data {
  state: string;
  reason: string;
  lost: number;
  repeated: number;
  received: number;
  gap: number;
  rows: Row[];
  /** States of the config map that passed while there was no kernel to watch them. */
  unwatched: number;
  /** All cuts; `cuts` are the newest. */
  count: number;
  cuts: Cut[];
}

export function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(2)} s` : `${Math.round(value)} s`;
}
