/** What a page makes of messages of a table, by the page's own code: read from standard input, for `test_ahead.py`. */

import { readFileSync } from "node:fs";

import { comparator, sortsOf } from "../../../notebook_mux/widgets/frontend/src/table/cells";
import type { Head } from "../../../notebook_mux/widgets/frontend/src/table/head";
import { Rows } from "../../../notebook_mux/widgets/frontend/src/table/rows";

interface Case {
  head: Head;
  sort: string;
  /** Stages, each of messages: the rows that were there, those that go ahead, the others, and what is in objects. */
  stages: string[][];
  /** Keys whose rows are wanted as they are after each stage. */
  keys: [number, string][];
}

const cases = JSON.parse(readFileSync(0, "utf8")) as Case[];
const found = cases.map(({ head, sort, stages, keys }) => {
  const rows = new Rows();
  return stages.map((messages) => {
    for (const message of messages) {
      const bytes = new TextEncoder().encode(message);
      rows.take([new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)], undefined);
    }
    const ordered = [...rows.byKey.values()].sort(comparator(head, sortsOf(sort), () => 0));
    return {
      order: ordered.map((row) => [row.cluster, row.uid]),
      rows: keys.map(([cluster, uid]) => rows.byKey.get(`${cluster} ${uid}`)?.wire ?? null),
    };
  });
});
process.stdout.write(JSON.stringify(found));
