/** The filter of events: words that must be there, and words that must not. */

/** The filter's words, lower case: those that must be there, and those that must not. */
export interface Words {
  has: string[];
  not: string[];
}

export function words(filter: string): Words {
  const all = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const isNot = (word: string) => word.startsWith("!") && word.length > 1;
  return { has: all.filter((word) => !isNot(word)), not: all.filter(isNot).map((word) => word.slice(1)) };
}

/** Whether a row with this text (lower case) passes. */
export function passes({ has, not }: Words, text: string): boolean {
  return has.every((word) => text.includes(word)) && !not.some((word) => text.includes(word));
}
