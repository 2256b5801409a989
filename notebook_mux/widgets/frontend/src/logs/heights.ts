/** Heights of many rows: where one begins, and which is at a place, in the logarithm of their number (Fenwick's tree). */

export class Heights {
  count = 0;
  #tree = new Float64Array(4096);
  #own = new Uint16Array(4096);

  /** Keep only the first rows. */
  cut(count: number): void {
    this.count = Math.min(this.count, count);
  }

  push(height: number): void {
    const at = ++this.count;
    if (at >= this.#tree.length) this.#grow();
    const tree = this.#tree;
    this.#own[at] = height;
    let sum = this.#own[at] as number;
    const low = at & -at;
    for (let below = 1; below < low; below <<= 1) sum += tree[at - below] as number;
    tree[at] = sum;
  }

  height(row: number): number {
    return this.#own[row + 1] as number;
  }

  /** Another height for a row; returns by how much it is higher. */
  set(row: number, height: number): number {
    const more = height - (this.#own[row + 1] as number);
    if (more === 0) return 0;
    this.#own[row + 1] = height;
    for (let at = row + 1; at <= this.count; at += at & -at) (this.#tree[at] as number) += more;
    return more;
  }

  /** Where a row begins: the sum of those before it. */
  begin(row: number): number {
    let sum = 0;
    for (let at = Math.min(row, this.count); at > 0; at -= at & -at) sum += this.#tree[at] as number;
    return sum;
  }

  get total(): number {
    return this.begin(this.count);
  }

  /** The row at a place; the last one for a place behind it. */
  at(place: number): number {
    let [row, left] = [0, place];
    for (let step = 1 << (31 - Math.clz32(Math.max(1, this.count))); step > 0; step >>= 1) {
      const next = row + step;
      if (next > this.count || (this.#tree[next] as number) > left) continue;
      row = next;
      left -= this.#tree[next] as number;
    }
    return Math.max(0, Math.min(row, this.count - 1));
  }

  #grow(): void {
    const tree = new Float64Array(2 * this.#tree.length);
    tree.set(this.#tree);
    this.#tree = tree;
    const own = new Uint16Array(tree.length);
    own.set(this.#own);
    this.#own = own;
  }
}
