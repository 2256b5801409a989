/** What is done with the text itself: where the managed fields are, and what differs between two of its versions. */

export interface Range {
  from: number;
  to: number;
}

const MANAGED = /^ {2}managedFields:[ \t]*$/m;

/** The managed fields without their first line: what is folded away; undefined where there are none. */
export function managedFields(text: string): Range | undefined {
  const found = MANAGED.exec(text);
  if (found === null) return undefined;
  const from = found.index + found[0].length;
  let to = from;
  while (to < text.length) {
    const begin = to + 1;
    const end = text.indexOf("\n", begin);
    const line = text.slice(begin, end < 0 ? text.length : end);
    // a sequence's items may stand as far left as its key
    if (begin >= text.length || !(/^ {3,}/.test(line) || /^ {2}- /.test(line))) break;
    to = begin + line.length;
  }
  return to > from ? { from, to } : undefined;
}

/** The text without them. */
export function withoutManaged(text: string): string {
  const range = managedFields(text);
  if (range === undefined) return text;
  const begin = text.lastIndexOf("\n", range.from - 1) + 1;
  return text.slice(0, begin) + text.slice(Math.min(text.length, range.to + 1));
}

/** The one piece in which two texts differ: what stands before and behind it is the same. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } | undefined {
  if (before === after) return undefined;
  const least = Math.min(before.length, after.length);
  let from = 0;
  while (from < least && before[from] === after[from]) from++;
  let same = 0;
  while (same < least - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}

const OWN = /^ {2}(?:resourceVersion|generation):.*\n?/gm;
const STATUS = /^status:.*\n?(?:(?:[ \t-].*)?\n?(?<=\n))*/m;

/** The text without what servers write by themselves: two of the same are the same to whoever edits. */
export function substance(text: string): string {
  const whole = text.endsWith("\n") ? text : `${text}\n`;
  return withoutManaged(whole).replace(STATUS, "").replace(OWN, "");
}

const UID = /^ {2}uid: .+$/m;

/** The line that says which object of all it is; "" where none does. */
export function identity(text: string): string {
  return UID.exec(text)?.[0] ?? "";
}
