/** A minute of rates, one figure a second, from counters that come when they come. */

export const SECONDS = 60;

export class History {
  readonly rates: number[] = new Array<number>(SECONDS).fill(0);
  #counter: number | undefined;
  #since = 0;

  /** The counter's value now. */
  count(value: number): void {
    if (this.#counter === undefined || value < this.#counter) this.#counter = value;
    this.#since += value - this.#counter;
    this.#counter = value;
  }

  /** A second has passed. */
  tick(): void {
    this.rates.shift();
    this.rates.push(this.#since);
    this.#since = 0;
  }

  /** The mean of the last seconds. */
  get now(): number {
    const last = this.rates.slice(-3);
    return last.reduce((sum, rate) => sum + rate, 0) / last.length;
  }
}
