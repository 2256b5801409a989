/**
 * What a program may not do to a page by what it prints. xterm.js draws; whatever would go back to the program goes
 * only from a view that may answer, and what would reach beyond the terminal (clipboard, window, title) is inert.
 */

import type { IDisposable, IParser } from "@xterm/xterm";

/** Sequences that make a terminal answer; from ECMA-48, xterm's ctlseqs and the handlers of xterm.js 6. */
const ASKING = [
  { final: "c" }, // DA1
  { prefix: ">", final: "c" }, // DA2
  { prefix: "=", final: "c" }, // DA3
  { final: "n" }, // DSR, CPR
  { prefix: "?", final: "n" }, // DSR of DEC, colour scheme
  { intermediates: "$", final: "p" }, // DECRQM
  { prefix: "?", intermediates: "$", final: "p" },
  { prefix: ">", final: "q" }, // XTVERSION
  { final: "x" }, // DECREQTPARM
  { prefix: "?", final: "u" }, // keyboard protocol
] as const;

const ASKING_DCS = [
  { intermediates: "$", final: "q" }, // DECRQSS
  { intermediates: "+", final: "q" }, // XTGETTCAP
] as const;

/** Colours: 4 and 5 by number, 10 to 19 those of text, background, cursor. With "?" they are questions. */
const COLORS = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/** Title and icon (0, 1, 2), folder (7), notifications and clipboard (9, 52, 99, 777, 1337): for nobody here. */
const INERT_OSC = [0, 1, 2, 7, 9, 52, 99, 777, 1337];

/** Put the gates up; `mayAnswer` is asked at each question. */
export function putGates(parser: IParser, mayAnswer: () => boolean): IDisposable[] {
  const shut = () => !mayAnswer();
  return [
    ...ASKING.map((id) => parser.registerCsiHandler(id, shut)),
    ...ASKING_DCS.map((id) => parser.registerDcsHandler(id, shut)),
    ...COLORS.map((code) => parser.registerOscHandler(code, (data) => data.includes("?") && shut())),
    ...INERT_OSC.map((code) => parser.registerOscHandler(code, () => true)),
    // window operations, reports of sizes and titles among them
    parser.registerCsiHandler({ final: "t" }, () => true),
  ];
}

/** The target of a link that may be opened: http and https alone. */
export function safeTarget(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
  } catch {
    return undefined;
  }
}
