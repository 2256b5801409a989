/** What is said in and around a terminal of what happens to its program. Cluster text only becomes text. */

import { count } from "../common/dom";
import type { RunEvent } from "./frames";

export type Tone = "" | "warn" | "bad";

export interface Said {
  text: string;
  tone: Tone;
}

export const AGAIN = "press Enter to start it again";

const MAX_WORDS = 400;

/** Text with nothing in it that drives a terminal or turns the direction of reading. */
export function plain(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]+/g, " ")
    .trim()
    .slice(0, MAX_WORDS);
}

/** The quiet line of an event; undefined where there is nothing to say. */
export function lineOf(event: RunEvent): Said | undefined {
  if (event.state === "running") {
    const command = plain((event.command ?? []).join(" "));
    if (command === "") return { text: "attached: what is there shows when it prints something", tone: "" };
    return { text: event.instead === true ? `not there, so: ${command}` : command, tone: "" };
  }
  if (event.state === "ended") {
    const message = plain(event.message ?? "");
    if (event.code === 0) return { text: `ended with exit code 0 · ${AGAIN}`, tone: "" };
    if (typeof event.code === "number") {
      // the server's words are of the code alone: "command terminated with exit code 1"
      return { text: `ended with exit code ${event.code} · ${AGAIN}`, tone: "warn" };
    }
    return { text: `ended${message === "" ? "" : `: ${message}`} · ${AGAIN}`, tone: "warn" };
  }
  if (event.state === "lost") {
    const words = [event.what, event.said, event.todo].map((word) => plain(word ?? "")).filter((word) => word !== "");
    return { text: `lost: ${words.join(" · ") || "the connection to it broke"} · ${AGAIN}`, tone: "bad" };
  }
  return undefined;
}

/** The mark where output was left out. */
export function skippedLine(bytes: number): string {
  return `${count(bytes)} bytes were left out here`;
}

/** What was typed, as one can read it: control characters by their names. */
export function typed(text: string): string {
  return text.slice(0, MAX_WORDS).replace(/[\u0000-\u001f\u007f]/g, (character) => {
    if (character === "\r" || character === "\n") return "⏎";
    if (character === "\u007f") return "⌫";
    return `^${String.fromCharCode(character.charCodeAt(0) + 64)}`;
  });
}

/** Minutes or seconds, as people say them. */
export function span(seconds: number): string {
  if (seconds >= 90) return `${Math.round(seconds / 60)} minutes`;
  const whole = Math.max(1, Math.round(seconds));
  return `${whole} ${whole === 1 ? "second" : "seconds"}`;
}
