/** In which order a view has its rows, and by what it groups and filters them. */

import type { Rules } from "./arrangement";
import { comparator, type Sort, sortsOf, sortText, type TimeOf } from "./cells";
import type { Filtering } from "./filtering";
import { compareGroups, grouping } from "./groups";
import type { Head } from "./head";

export class Order {
  #sorts: readonly Sort[] = [];
  #kernelSort = "";
  #shape = "";
  #filtering: Filtering;
  #timeOf: TimeOf;

  constructor(filtering: Filtering, timeOf: TimeOf) {
    this.#filtering = filtering;
    this.#timeOf = timeOf;
  }

  get sorts(): readonly Sort[] {
    return this.#sorts;
  }

  /** As in `Status,-Age`. */
  get text(): string {
    return sortText(this.#sorts);
  }

  /** The user chose another one. */
  sort(sorts: readonly Sort[]): void {
    this.#sorts = sorts;
  }

  /** What the kernel says counts where it is news; returns whether it is. */
  told(head: Head): boolean {
    const { sort } = head.settings;
    if (sort === this.#kernelSort) return false;
    this.#kernelSort = sort;
    this.#sorts = sortsOf(sort);
    return true;
  }

  /** Whether order and groups may be others than when this was asked last. */
  anew(head: Head): boolean {
    const clusters = head.clusters.map(({ name }) => name);
    const shape = JSON.stringify([head.columns, head.kind, clusters, this.#sorts, head.settings.group]);
    const other = shape !== this.#shape;
    this.#shape = shape;
    return other;
  }

  rules(head: Head | undefined): Rules {
    if (head === undefined) {
      return { compare: () => 0, passes: () => true, groupOf: undefined, compareGroups, fault: () => false };
    }
    return {
      compare: comparator(head, this.#sorts, this.#timeOf),
      passes: this.#filtering.passes,
      groupOf: grouping(head.settings.group, head),
      compareGroups,
      fault: this.#filtering.fault,
    };
  }
}
