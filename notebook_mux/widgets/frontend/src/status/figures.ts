/** Figures for people. */

import { humanDuration } from "../common/age";
import { count } from "../common/dom";

export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

export function milliseconds(seconds: number): string {
  return seconds < 10 ? `${count(seconds * 1000)} ms` : humanDuration(seconds);
}

/** A rate: what is rare is not nothing. */
export function perSecond(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}
