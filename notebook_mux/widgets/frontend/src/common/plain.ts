/**
 * What a cluster says, without what is not seen and turns the text around it: controls, and the overrides and isolates
 * of bidirectional text, by which `gnp.exe` reads as `exe.png`. Joiners stay: emoji and some scripts are made of them.
 */
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const INSTEAD = "\ufffd";

export function plain(text: string): string {
  return text.replace(HIDDEN, INSTEAD);
}

/** All texts of a value as JSON has it, keys too. */
export function plainly<T>(value: T): T {
  if (typeof value === "string") return plain(value) as T;
  if (Array.isArray(value)) return value.map(plainly) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [plain(key), plainly(one)])) as T;
}
