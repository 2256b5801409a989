/** Words for a cluster that is not live: since when, why, of when the rows are, what comes next. */

import { humanDuration } from "./age";
import { clock } from "./dom";

/** How a cluster stands. Times are Unix seconds. */
export interface Standing {
  state: string;
  reason: string;
  /** The server's, the plugin's or the system's own words. */
  said: string;
  /** What to do next. */
  todo: string;
  since: number;
  /** When it is tried again by itself. */
  retryAt: number | null;
  /** Of when the rows are that are shown; null where there are none, or they are live. */
  fresh: number | null;
}

const TONES: Record<string, string> = {
  open: "good", live: "good", connecting: "", retrying: "warn", stale: "warn", closed: "",
};

/** The tone of a state: good, warn, bad, or none. */
export function stateTone(state: string): string {
  return TONES[state] ?? "bad";
}

export function trouble(at: Standing, now: number): string {
  const parts = [at.since > 0 ? `${at.state} since ${clock(at.since)}` : at.state];
  const why = [at.reason, at.said].filter((text, index, all) => text !== "" && all.indexOf(text) === index);
  if (why.length > 0) parts.push(why.join(": "));
  if (at.fresh !== null) parts.push(`rows are from ${clock(at.fresh)}`);
  if (at.retryAt !== null) {
    parts.push(at.retryAt > now ? `next try in ${humanDuration(Math.ceil(at.retryAt - now))}` : "trying now");
  }
  if (at.todo !== "") parts.push(at.todo);
  return parts.join(" · ");
}
