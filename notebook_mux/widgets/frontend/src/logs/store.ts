/**
 * The page's lines, in typed arrays: text as bytes, decoded when it is drawn. A line's *slot* is its place in the order
 * of arrival; `order` has the slots by time, a trace's lines behind its first one. No object is made for a line.
 */

import { CONTINUES, LEVEL, LEVELS, MARK } from "./data";

/** A page keeps at least so many lines, if there were so many; a few more, so that it seldom has to make room. */
export const LINES = 100_000;
const SLACK = 25_000;

/** While somebody reads what is not the end, so many: what the kernel keeps, too. */
export const PINNED_LINES = 200_000;

/** Bytes of text, as the kernel's own bound; and while somebody reads what is not the end. */
export const BYTES = 64 * 2 ** 20;
const PINNED_BYTES = 2 * BYTES;

/** Text is packed into blocks of so many bytes: a small message's buffer would hold its whole WebSocket message. */
const BLOCK = 256 * 1024;

/** The source of marks that are the page's own. */
export const NOBODY = 0xffff_ffff;

/** A batch's columns as they come; `times` are pairs of the low and the high half. */
export interface Batch {
  first: number;
  times: Uint32Array;
  sources: Uint32Array;
  flags: Uint16Array;
  ends: Uint32Array;
  text: Uint8Array;
}

/** What a change did to the slots and their order. */
export interface Change {
  /** Slots before that are gone, or that came before all others: all slot numbers have moved by the difference. */
  trimmed: number;
  prepended: number;
  /** The slots from here on are new. */
  added: number;
  /** `order` is another one from here on. */
  from: number;
  /** Nothing of before is left. */
  reset: boolean;
}

type Column = Uint32Array | Uint16Array | Float64Array;

const FIRST_CAPACITY = 4096;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class Store {
  /** Slots in use. */
  count = 0;
  /** The number of the line that is expected next, and of the first one that is there. */
  next = -1;
  low = -1;
  /** Lines that were not taken in because somebody reads what is not the end. */
  missed = 0;
  order = new Uint32Array(FIRST_CAPACITY);
  flags = new Uint16Array(FIRST_CAPACITY);
  sources = new Uint32Array(FIRST_CAPACITY);
  /** Of each line: the slot of the line it belongs to, itself for most. */
  heads = new Uint32Array(FIRST_CAPACITY);
  readonly levels = new Float64Array(LEVELS.length);
  readonly bySource = new Map<number, number>();
  #high = new Uint32Array(FIRST_CAPACITY);
  #low = new Uint32Array(FIRST_CAPACITY);
  /** The time that a line is sorted by: its head's. */
  #keyHigh = new Uint32Array(FIRST_CAPACITY);
  #keyLow = new Uint32Array(FIRST_CAPACITY);
  #block = new Uint32Array(FIRST_CAPACITY);
  #start = new Uint32Array(FIRST_CAPACITY);
  #end = new Uint32Array(FIRST_CAPACITY);
  #blocks = new Map<number, Uint8Array>();
  #writing: { id: number; used: number } = { id: -1, used: 0 };
  #blockId = 0;
  #bytes = 0;
  #last = new Map<number, number>();

  // --- reading ------------------------------------------------------------------------------------------------------

  /** Nanoseconds since the epoch. */
  time(slot: number): bigint {
    return (BigInt(this.#high[slot] as number) << 32n) | BigInt(this.#low[slot] as number);
  }

  /** The same in milliseconds, rounded to less than one. */
  millis(slot: number): number {
    return ((this.#high[slot] as number) * 4294967296 + (this.#low[slot] as number)) / 1e6;
  }

  level(slot: number): number {
    return (this.flags[slot] as number) & LEVEL;
  }

  isMark(slot: number): boolean {
    return ((this.flags[slot] as number) & MARK) !== 0;
  }

  /** Bytes of a line's text. */
  size(slot: number): number {
    return (this.#end[slot] as number) - (this.#start[slot] as number);
  }

  /** A line's text, or its first `most` bytes. */
  text(slot: number, most = Infinity): string {
    const block = this.#blocks.get(this.#block[slot] as number);
    if (block === undefined) return "";
    const start = this.#start[slot] as number;
    return decoder.decode(block.subarray(start, Math.min(this.#end[slot] as number, start + most)));
  }

  /** By time, a trace's lines together, else as they came. */
  compare(a: number, b: number): number {
    const [high, low, heads] = [this.#keyHigh, this.#keyLow, this.heads];
    return (
      (high[a] as number) - (high[b] as number) ||
      (low[a] as number) - (low[b] as number) ||
      (heads[a] as number) - (heads[b] as number) ||
      a - b
    );
  }

  /** The place in `order` of a slot. */
  placeOf(slot: number): number {
    let [from, to] = [0, this.count];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.compare(this.order[middle] as number, slot) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  // --- taking in ----------------------------------------------------------------------------------------------------

  /**
   * Take a batch in. What is known already is left out; a batch behind a gap begins anew.
   *
   * @param kept The oldest number that the kernel still has: lines before it are lost to this page.
   * @param pinned Nothing that is there may go: at the bound the rest is left with the kernel.
   */
  take(batch: Batch, kept: { oldest: number; anew: boolean }, pinned: boolean): Change | undefined {
    const size = batch.flags.length;
    let skip = 0;
    let change: Change = { trimmed: 0, prepended: 0, added: this.count, from: this.count, reset: false };
    if (this.next >= 0 && batch.first > this.next) {
      if (pinned) {
        this.missed += size; // what is read stays; the rest comes when its reader goes on
        return undefined;
      }
      if (kept.anew || batch.first > kept.oldest) change = this.reset();
      else this.#missing(batch, batch.first - this.next);
    } else if (this.next > batch.first) skip = this.next - batch.first;
    if (skip >= size) return undefined;
    if (pinned && !this.#holds(size - skip, batch)) {
      this.missed += size - skip;
      return undefined;
    }
    this.#append(batch, skip);
    if (this.low < 0) this.low = batch.first + skip;
    this.next = batch.first + size;
    this.#sort(change);
    if (!pinned) this.#trim(change);
    return change;
  }

  /** Lines before all that are there, such as somebody asked for by scrolling up. */
  prepend(batch: Batch): Change | undefined {
    const size = Math.min(batch.flags.length, this.low - batch.first);
    if (size <= 0 || batch.first + size !== this.low || !this.#holds(size, batch)) return undefined;
    const before = this.count;
    this.#room(before + size);
    for (const column of this.#columns()) column.copyWithin(size, 0, before);
    for (let place = 0; place < before; place++) (this.order[place] as number) += size;
    this.order.copyWithin(size, 0, before);
    this.count = 0;
    this.#append(batch, 0, size);
    this.count = before + size;
    this.#last.clear();
    for (let slot = 0; slot < this.count; slot++) this.#place(slot);
    for (let slot = 0; slot < size; slot++) this.order[slot] = slot;
    this.order.subarray(0, this.count).sort((a, b) => this.compare(a, b));
    this.low = batch.first;
    return { trimmed: 0, prepended: size, added: 0, from: 0, reset: false };
  }

  /** Whether so many lines more may be kept where nothing may go. */
  #holds(lines: number, { text }: Batch): boolean {
    return this.count + lines <= PINNED_LINES && this.#bytes + text.length <= PINNED_BYTES;
  }

  /** Forget all. */
  reset(): Change {
    this.count = 0;
    this.next = this.low = -1;
    this.missed = 0;
    this.#bytes = 0;
    this.#blocks.clear();
    this.#writing = { id: -1, used: 0 };
    this.#last.clear();
    this.levels.fill(0);
    this.bySource.clear();
    return { trimmed: 0, prepended: 0, added: 0, from: 0, reset: true };
  }

  /** Make room, now that nobody reads what is not the end. */
  unpin(): Change | undefined {
    const change: Change = { trimmed: 0, prepended: 0, added: this.count, from: this.count, reset: false };
    this.#trim(change);
    return change.trimmed > 0 ? change : undefined;
  }

  /** A mark of the page's own, for lines that the kernel dropped before this page could take them. */
  #missing(batch: Batch, lost: number): void {
    const text = `${lost} lines are missing here: the kernel dropped them before this page could take them in.`;
    const said = encoder.encode(JSON.stringify({ mark: "bound", text, todo: "filter the log where it is made: include=, exclude=" }));
    const times = batch.times.slice(0, 2);
    this.#append({
      first: -1, times, sources: new Uint32Array([NOBODY]), flags: new Uint16Array([MARK]),
      ends: new Uint32Array([said.length]), text: said,
    }, 0);
  }

  #append(batch: Batch, skip: number, to = batch.flags.length): void {
    const added = to - skip;
    this.#room(this.count + added);
    const begin = skip > 0 ? (batch.ends[skip - 1] as number) : 0;
    const stop = to > 0 ? (batch.ends[to - 1] as number) : 0;
    const shift = this.#write(batch.text, begin, stop);
    const { id } = this.#writing;
    let start = begin;
    let slot = this.count;
    for (let at = skip; at < to; at++, slot++) {
      const end = batch.ends[at] as number;
      const source = batch.sources[at] as number;
      const flags = batch.flags[at] as number;
      this.#low[slot] = batch.times[2 * at] as number;
      this.#high[slot] = batch.times[2 * at + 1] as number;
      this.sources[slot] = source;
      this.flags[slot] = flags;
      this.#block[slot] = id;
      this.#start[slot] = start + shift;
      this.#end[slot] = end + shift;
      start = end;
      this.#place(slot);
      if ((flags & MARK) === 0) (this.levels[flags & LEVEL] as number) += 1;
    }
    for (let at = skip; at < to; ) {
      // a pod's lines come in runs
      const source = batch.sources[at] as number;
      let run = at;
      while (run < to && batch.sources[run] === source) run++;
      this.bySource.set(source, (this.bySource.get(source) ?? 0) + run - at);
      at = run;
    }
    this.count = slot;
  }

  /** Find the line that one belongs to, and with it the time that it is sorted by. */
  #place(slot: number): void {
    const source = this.sources[slot] as number;
    const above = ((this.flags[slot] as number) & CONTINUES) !== 0 ? this.#last.get(source) : undefined;
    if (above === undefined) {
      let [high, low] = [this.#high[slot] as number, this.#low[slot] as number];
      const before = this.isMark(slot) ? this.#last.get(source) : undefined;
      if (before !== undefined) {
        // a mark stands behind all that its container said before, whatever clock it has its time of
        const [lastHigh, lastLow] = [this.#keyHigh[before] as number, this.#keyLow[before] as number];
        if (lastHigh > high || (lastHigh === high && lastLow > low)) [high, low] = [lastHigh, lastLow];
      }
      this.heads[slot] = slot;
      this.#keyHigh[slot] = high;
      this.#keyLow[slot] = low;
      this.#last.set(source, slot);
    } else {
      this.heads[slot] = above;
      this.#keyHigh[slot] = this.#keyHigh[above] as number;
      this.#keyLow[slot] = this.#keyLow[above] as number;
    }
  }

  /** Put the new slots into the order of time; most are in it already, and late ones are near the end. */
  #sort(change: Change): void {
    const { order } = this;
    const { added } = change;
    let sorted = true;
    for (let slot = added; slot < this.count; slot++) {
      order[slot] = slot;
      if (slot > 0 && sorted) sorted = this.compare(order[slot - 1] as number, slot) < 0;
    }
    change.from = added;
    if (sorted) return;
    const fresh = order.slice(added, this.count).sort((a, b) => this.compare(a, b));
    let [old, place, write] = [added - 1, fresh.length - 1, this.count - 1];
    while (place >= 0) {
      const slot = fresh[place] as number;
      if (old >= 0 && this.compare(order[old] as number, slot) > 0) order[write--] = order[old--] as number;
      else {
        order[write--] = slot;
        place--;
      }
    }
    change.from = old + 1;
  }

  #trim(change: Change): void {
    let gone = this.count > LINES + SLACK ? this.count - LINES : 0;
    let bytes = this.#bytes;
    for (let slot = 0; slot < gone; slot++) bytes -= this.size(slot);
    while (bytes > BYTES && gone < this.count - 1) bytes -= this.size(gone++);
    if (gone === 0) return;
    for (let slot = 0; slot < gone; slot++) {
      const flags = this.flags[slot] as number;
      const source = this.sources[slot] as number;
      if ((flags & MARK) === 0) (this.levels[flags & LEVEL] as number) -= 1;
      if (source !== NOBODY) this.low += 1;
      this.bySource.set(source, (this.bySource.get(source) ?? 1) - 1);
    }
    this.#bytes = bytes;
    const { count, heads, order } = this;
    for (const column of this.#columns()) column.copyWithin(0, gone, count);
    this.count = count - gone;
    // a trace whose first line has gone begins with the next
    const heirs = new Map<number, number>();
    for (let slot = 0; slot < this.count; slot++) {
      const head = heads[slot] as number;
      if (head >= gone) heads[slot] = head - gone;
      else {
        const heir = heirs.get(head) ?? slot;
        heirs.set(head, heir);
        heads[slot] = heir;
      }
    }
    let write = 0;
    for (let place = 0; place < count; place++) {
      const slot = order[place] as number;
      if (slot >= gone) order[write++] = slot - gone;
    }
    for (const [source, slot] of this.#last) {
      if (slot >= gone) this.#last.set(source, slot - gone);
      else if (heirs.has(slot)) this.#last.set(source, heirs.get(slot) as number);
      else this.#last.delete(source);
    }
    this.#sweep();
    change.trimmed = gone;
    change.added = Math.max(0, change.added - gone);
    change.from = 0;
  }

  /** Let go the blocks of which no line is left. */
  #sweep(): void {
    const used = new Set<number>([this.#writing.id]);
    let last = -1;
    for (let slot = 0; slot < this.count; slot++) {
      const id = this.#block[slot] as number;
      if (id !== last) used.add((last = id));
    }
    for (const id of [...this.#blocks.keys()]) if (!used.has(id)) this.#blocks.delete(id);
  }

  /** Copy a batch's text into a block; returns by how much its offsets move. */
  #write(text: Uint8Array, begin: number, stop: number): number {
    const size = stop - begin;
    let block = this.#blocks.get(this.#writing.id);
    if (block === undefined || this.#writing.used + size > block.length) {
      block = new Uint8Array(Math.max(BLOCK, size));
      this.#writing = { id: this.#blockId++, used: 0 };
      this.#blocks.set(this.#writing.id, block);
    }
    const { used } = this.#writing;
    block.set(text.subarray(begin, stop), used);
    this.#writing.used += size;
    this.#bytes += size;
    return used - begin;
  }

  #columns(): Column[] {
    return [
      this.flags, this.sources, this.heads, this.#high, this.#low, this.#keyHigh, this.#keyLow, this.#block,
      this.#start, this.#end,
    ];
  }

  #room(wanted: number): void {
    if (wanted <= this.order.length) return;
    const size = Math.max(wanted, 2 * this.order.length);
    const grown = <T extends Column>(column: T): T => {
      const made = new (column.constructor as new (size: number) => T)(size);
      made.set(column as never);
      return made;
    };
    this.order = grown(this.order);
    this.flags = grown(this.flags);
    this.sources = grown(this.sources);
    this.heads = grown(this.heads);
    this.#high = grown(this.#high);
    this.#low = grown(this.#low);
    this.#keyHigh = grown(this.#keyHigh);
    this.#keyLow = grown(this.#keyLow);
    this.#block = grown(this.#block);
    this.#start = grown(this.#start);
    this.#end = grown(this.#end);
  }
}

/** A batch of a message's buffers; an array on bytes that do not lie on its grid is copied. */
export function batchOf(first: number, buffers: readonly DataView[]): Batch {
  const [times, sources, flags, ends, text] = buffers;
  if (!times || !sources || !flags || !ends || !text) throw new Error("a batch of lines has five columns");
  const u32 = ({ buffer, byteOffset, byteLength }: DataView) =>
    byteOffset % 4 === 0
      ? new Uint32Array(buffer, byteOffset, byteLength / 4)
      : new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const u16 = ({ buffer, byteOffset, byteLength }: DataView) =>
    byteOffset % 2 === 0
      ? new Uint16Array(buffer, byteOffset, byteLength / 2)
      : new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const batch = {
    first, times: u32(times), sources: u32(sources), flags: u16(flags), ends: u32(ends),
    text: new Uint8Array(text.buffer, text.byteOffset, text.byteLength),
  };
  const size = batch.flags.length;
  const last = size > 0 ? (batch.ends[size - 1] as number) : 0;
  if (batch.times.length !== 2 * size || batch.sources.length !== size || batch.ends.length !== size || last > batch.text.length) {
    throw new Error("the columns of a batch of lines are of different lengths");
  }
  return batch;
}
