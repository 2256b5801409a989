/** A line's time: nanoseconds since the epoch, in local time, UTC or as an age; and a time that people type. */

import { humanDuration } from "../common/age";
import type { Times } from "./data";

const MILLION = 1_000_000n;
const two = (value: number): string => String(value).padStart(2, "0");
const three = (value: number): string => String(value).padStart(3, "0");

/** Characters that a time's day takes: none, ``MM-DD `` or, of another year than this, ``YYYY-MM-DD ``. */
export type Dated = 0 | 6 | 11;

/** How much of their day the times from `first` to `last` need, as `mode` counts days; all in Unix milliseconds. */
export function datedBy(first: number, last: number, now: number, mode: Times): Dated {
  if (sameDay(first, last, mode) && sameDay(last, now, mode)) return 0;
  const year = (millis: number) => (mode === "utc" ? new Date(millis).getUTCFullYear() : new Date(millis).getFullYear());
  return year(first) === year(now) && year(last) === year(now) ? 6 : 11;
}

/** A time for the gutter. */
export function short(nanos: bigint, mode: Times, dated: Dated, nowMillis: number): string {
  const millis = Number(nanos / MILLION);
  if (mode === "off") return "";
  if (mode === "age") return humanDuration((nowMillis - millis) / 1000);
  const at = new Date(millis);
  if (mode === "utc") {
    const text = at.toISOString();
    return day(text.slice(0, 10), dated) + text.slice(11, 23);
  }
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day(date, dated)}${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${three(at.getMilliseconds())}`;
}

function day(date: string, dated: Dated): string {
  return dated === 0 ? "" : `${date} `.slice(-dated);
}

/** All nine digits, as the server said it. */
export function full(nanos: bigint): string {
  const seconds = Number(nanos / 1_000_000_000n);
  const digits = String(nanos % 1_000_000_000n).padStart(9, "0");
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${digits}Z`;
}

/** For a tooltip: nine digits in UTC, and the local time with its zone. */
export function both(nanos: bigint): string {
  const at = new Date(Number(nanos / MILLION));
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const local = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${full(nanos)}\n${local} ${zone} local time`;
}

/** Whether two moments are of one day, as `mode` counts days. */
export function sameDay(one: number, other: number, mode: Times): boolean {
  const [a, b] = [new Date(one), new Date(other)];
  if (mode === "utc") return a.toISOString().slice(0, 10) === b.toISOString().slice(0, 10);
  return a.toDateString() === b.toDateString();
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The moment that somebody typed, in Unix milliseconds: `12:04`, `12:04:05.123`, a date and a time, or how long ago,
 * such as `5m`. A time of day is the last one before `nowMillis`. Undefined where it is none of these.
 */
export function moment(text: string, mode: Times, nowMillis: number): number | undefined {
  const typed = text.trim();
  const ago = /^-?((?:\d+[dhms]\s*)+)(?:ago)?$/.exec(typed);
  if (ago !== null) {
    const parts = [...(ago[1] as string).matchAll(/(\d+)([dhms])/g)];
    return nowMillis - parts.reduce((sum, part) => sum + Number(part[1]) * (UNITS[part[2] as string] as number), 0);
  }
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(z?)$/i.exec(typed);
  if (clock !== null) {
    const [hours, minutes, seconds] = [1, 2, 3].map((at) => Number(clock[at] ?? 0)) as [number, number, number];
    const millis = Number((clock[4] ?? "").padEnd(3, "0").slice(0, 3));
    if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
    const at = new Date(nowMillis);
    if (mode === "utc" || clock[5] !== "") at.setUTCHours(hours, minutes, seconds, millis);
    else at.setHours(hours, minutes, seconds, millis);
    return at.getTime() > nowMillis + UNITS["m"]! ? at.getTime() - (UNITS["d"] as number) : at.getTime();
  }
  if (!/^\d{4}-\d{2}-\d{2}/.test(typed)) return undefined;
  const iso = typed.replace(/^(\d{4}-\d{2}-\d{2}) +/, "$1T").replace(/(\.\d{3})\d+/, "$1");
  const zoned = /(?:z|[+-]\d{2}:?\d{2})$/i.test(iso.slice(10)) || mode !== "utc";
  const found = Date.parse(zoned ? (iso.length === 10 ? `${iso}T00:00` : iso) : `${iso.length === 10 ? `${iso}T00:00` : iso}Z`);
  return Number.isNaN(found) ? undefined : found;
}
