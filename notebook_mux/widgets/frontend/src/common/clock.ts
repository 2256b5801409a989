/** How a cluster's clock goes beside the kernel's; see notebook_mux/clocks.py. */

/** What it showed, when by the kernel's, and how many of its seconds go by in one; null where it goes as the kernel's. */
export type Clock = readonly [at: number, since: number, rate: number] | null;

/** What it shows at a moment of the kernel's clock, Unix seconds. */
export function clusterTime(clock: Clock | undefined, now: number): number {
  return clock === null || clock === undefined ? now : clock[0] + (now - clock[1]) * clock[2];
}
