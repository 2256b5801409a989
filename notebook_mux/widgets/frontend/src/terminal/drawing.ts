/** What a session draws itself into a terminal, beside what the program prints: quiet lines and marks. */

import type { RunEvent } from "./frames";
import { lineOf, type Said, skippedLine, type Tone } from "./words";

/** The part of xterm.js that is needed, with or without a page. */
export interface Drawn {
  write(data: Uint8Array | string, callback?: () => void): void;
  readonly buffer: { readonly active: { readonly type: string; readonly cursorX: number } };
}

/** End whatever sequence was cut off in the middle: CAN does that in every state of the parser (ECMA-48). */
const CANCEL = "\x18";

/** An empty screen, all modes as in the beginning (RIS). */
export const RESET = `${CANCEL}\x1bc`;

/** A program that has ended cannot take back what it had set: mouse, paste, cursor, margins, character sets. */
const TIDY =
  "\x1b[!p\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l" +
  "\x1b[?2026l\x1b[?25h\x1b[?7h\x1b[?45l\x1b>\x1b(B\x0f";

/** Back to the normal screen; 1049 would also put the cursor where it was before, over what is there. */
const NORMAL_SCREEN = "\x1b[?47l";

const COLORS: Record<Tone, string> = { "": "\x1b[0;90m", warn: "\x1b[0;33m", bad: "\x1b[0;31m" };

function line(terminal: Drawn, said: Said): string {
  const { cursorX } = terminal.buffer.active;
  return `${cursorX > 0 ? "\r\n" : ""}${COLORS[said.tone]}── ${said.text} ──\x1b[0m\r\n`;
}

/** Draw an event of the program's, when all before it has been parsed. */
export function drawEvent(terminal: Drawn, event: RunEvent): void {
  const alternate = terminal.buffer.active.type === "alternate";
  const said = lineOf(event);
  if (event.state === "running" || said === undefined) {
    if (said !== undefined) terminal.write(line(terminal, said));
    return;
  }
  const left = `${CANCEL}${alternate ? `${NORMAL_SCREEN}\r\n` : ""}${TIDY}`;
  terminal.write(left + line(terminal, said));
}

/** Mark where output was left out. */
export function drawSkipped(terminal: Drawn, bytes: number): void {
  terminal.write(CANCEL + line(terminal, { text: skippedLine(bytes), tone: "warn" }));
}
