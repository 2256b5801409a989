/** Words near to one that is not there, found as in notebook_mux/filtering/near.py. */

const MOST = 3;

export function near(word: string, words: readonly string[]): string[] {
  const found: [rank: number, slips: number, index: number, other: string][] = [];
  words.forEach((other, index) => {
    if (word === "" || other === "") return;
    const slips = distance(word, other);
    if (other.startsWith(word) || (word.startsWith(other) && other.length > 1)) found.push([0, slips, index, other]);
    else if (slips <= Math.max(1, Math.floor(word.length / 3))) found.push([1, slips, index, other]);
    else if (word.length > 1 && other.includes(word)) found.push([2, slips, index, other]);
  });
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  return found.slice(0, MOST).map(([, , , other]) => other);
}

/** Letters to change, add or leave out to get from one to the other (Levenshtein). */
function distance(one: string, other: string): number {
  let before = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column <= other.length; column++) {
      const changed = (before[column - 1] as number) + (one[row - 1] === other[column - 1] ? 0 : 1);
      now.push(Math.min((before[column] as number) + 1, (now[column - 1] as number) + 1, changed));
    }
    before = now;
  }
  return before[other.length] as number;
}
