/**
 * What a terminal is given to draw, and when: in pieces, so that the page does something else between; a flood slowly
 * while somebody has another terminal of the page in hand, whose echoes would wait behind it; and drawn less often in a
 * flood, which nobody can read: a picture costs more than the 200 KiB of lines that came since the last one.
 */

/** Bytes of a piece, which xterm.js parses without a pause: 2 ms of a log's lines, 10 ms of the shortest. */
export const PIECE_BYTES = 32 * 1024;

/** Bytes that xterm.js may have at once: some more than it parses in one go of 12 ms. */
export const GIVEN_BYTES = 64 * 1024;

/** With so many bytes since the last picture it is a flood: some screens full. */
const FLOOD_BYTES = 16 * 1024;

/** Between two pictures of a flood. */
export const PICTURE_MS = 100;

/** What comes after so long without more is no part of a flood: a prompt, and it is drawn. */
export const QUIET_MS = 8;

/** Bytes of a piece while another terminal is in hand: 2 ms of the shortest lines. */
export const BACK_BYTES = 8 * 1024;

/** Between two such pieces: a frame at least, and so many times what the piece has taken, but not for ever. */
export const REST_MS = { least: 16, most: 100 };
const REST_TIMES = 3;

/** Between two pictures of a flood while another terminal is in hand. */
export const BACK_PICTURE_MS = 250;

/** The part of xterm.js that is needed. */
export interface Parser {
  readonly rows: number;
  write(data: Uint8Array | string, callback: () => void): void;
  refresh(start: number, end: number): void;
  onRender(listener: () => void): void;
}

/** xterm.js's own switch for drawing, DEC mode 2026; a program may use it too. */
export interface Switch {
  synchronizedOutput: boolean;
}

/** The terminal that somebody has in hand. */
let hand: Pace | undefined;

type Piece = [data: Uint8Array | string, done: () => void];

export class Pace {
  #parser: Parser;
  #drawing: () => Switch | undefined;
  #now: () => number;
  #pieces: Piece[] = [];
  #next = 0;
  /** Of the next one, what xterm.js has already. */
  #at = 0;
  /** Bytes that wait here, and those that xterm.js has. */
  #waiting = 0;
  #given = 0;
  /** Bytes that came since the last picture. */
  #news = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** It floods, and is not drawn until the next picture. */
  still = false;
  #showing = false;
  #flooding = false;
  #programs = false;
  #picture: ReturnType<typeof setTimeout> | undefined;
  #end: ReturnType<typeof setTimeout> | undefined;

  /** `drawing` gives the switch of now; undefined where there is none: then nothing is drawn less often. */
  constructor(parser: Parser, drawing: () => Switch | undefined, now: () => number = () => performance.now()) {
    this.#parser = parser;
    this.#drawing = drawing;
    this.#now = now;
    parser.onRender(() => this.#pictured());
  }

  write(data: Uint8Array | string, done: () => void): void {
    this.#pieces.push([data, done]);
    this.#waiting += data.length;
    this.#news += data.length;
    clearTimeout(this.#end);
    this.#hold();
    this.#feed();
  }

  /** Somebody has it in hand, or not any more. */
  inHand(on: boolean): void {
    if (on) hand = this;
    else if (hand === this) hand = undefined;
  }

  /** The program draws by the switch itself, or has ended that. */
  program(synchronized: boolean): void {
    this.#programs = synchronized;
    if (synchronized) this.still = false; // it is the program's now
  }

  dispose(): void {
    for (const timer of [this.#picture, this.#end, this.#rest]) clearTimeout(timer);
    this.inHand(false);
    this.#pieces = [];
    this.#next = this.#waiting = 0;
  }

  // --- what xterm.js is given ---------------------------------------------------------------------------------------

  #feed(): void {
    while (this.#rest === undefined && this.#next < this.#pieces.length) {
      const back = this.#isBack;
      if (this.#given > (back ? 0 : GIVEN_BYTES - 1)) return;
      this.#give(back);
    }
    if (this.#next === this.#pieces.length) {
      this.#pieces = [];
      this.#next = 0;
    }
  }

  /** Whether it floods behind the terminal that is in hand. */
  get #isBack(): boolean {
    return hand !== undefined && hand !== this && this.#waiting + this.#given >= FLOOD_BYTES;
  }

  #give(back: boolean): void {
    const [data, done] = this.#pieces[this.#next] as Piece;
    const at = this.#at;
    const stop = typeof data === "string" ? data.length : Math.min(data.length, at + (back ? BACK_BYTES : PIECE_BYTES));
    const piece = typeof data === "string" ? data : data.subarray(at, stop);
    const last = stop === data.length;
    this.#next += last ? 1 : 0;
    this.#at = last ? 0 : stop;
    this.#waiting -= piece.length;
    this.#given += piece.length;
    const begun = this.#now();
    this.#parser.write(piece, () => {
      this.#given -= piece.length;
      if (last) done();
      if (this.#given + this.#waiting === 0) this.#quiet();
      if (this.#isBack) this.#pause(this.#now() - begun);
      else this.#feed();
    });
  }

  #pause(took: number): void {
    const wait = Math.min(REST_MS.most, Math.max(REST_MS.least, REST_TIMES * took));
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#feed();
    }, wait);
  }

  // --- pictures -----------------------------------------------------------------------------------------------------

  /** In a flood: no picture but each `PICTURE_MS`. */
  #hold(): void {
    this.#flooding ||= this.#news >= FLOOD_BYTES;
    if (!this.#flooding || this.still || this.#showing || this.#programs) return;
    const drawing = this.#drawing();
    if (drawing === undefined || drawing.synchronizedOutput) return;
    drawing.synchronizedOutput = this.still = true;
    this.#picture = setTimeout(() => this.#show(), this.#isBack ? BACK_PICTURE_MS : PICTURE_MS);
    if (this.#given + this.#waiting === 0) this.#quiet();
  }

  /** Everything is drawn that has come: more may come at once. */
  #quiet(): void {
    if (!this.still) return;
    clearTimeout(this.#end);
    this.#end = setTimeout(() => {
      this.#flooding = false;
      this.#show();
    }, QUIET_MS);
  }

  /** Let what is there be drawn. */
  #show(): void {
    if (!this.still) return;
    clearTimeout(this.#picture);
    clearTimeout(this.#end);
    this.still = false;
    this.#showing = true; // until it is drawn, in the page's next frame
    const drawing = this.#drawing();
    if (drawing !== undefined) drawing.synchronizedOutput = false;
    this.#parser.refresh(0, this.#parser.rows - 1);
  }

  #pictured(): void {
    this.#showing = false;
    this.#news = this.#waiting + this.#given;
    this.#hold();
  }
}
