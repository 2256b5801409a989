/** What is pasted: whether to ask first, and what is sent of it. */

/** Control characters but tab and line ends: pasted, they would be keys that nobody has pressed. */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** What of a clipboard's text can be pasted. */
export function clean(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(CONTROLS, "");
}

/** Whether it should be shown and asked for: more than one line, for each line end may run a command. */
export function asksFirst(text: string): boolean {
  return text.includes("\n");
}

/** What is sent for `text`, which is clean. A program in bracketed paste mode is told where it begins and ends. */
export function asInput(text: string, bracketed: boolean): string {
  const keys = text.replace(/\n/g, "\r");
  return bracketed ? `\x1b[200~${keys}\x1b[201~` : keys;
}

/** Lines in it; a line end at its end begins no other one. */
export function lines(text: string): number {
  return text.replace(/\n$/, "").split("\n").length;
}
