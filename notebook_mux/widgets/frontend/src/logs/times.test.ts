import assert from "node:assert/strict";
import test from "node:test";

import { both, datedBy, full, moment, sameDay, short } from "./times";

const AT = 1_764_417_600_123_456_789n; // 2025-11-29T12:00:00.123456789Z
const NOW = 1_764_417_660_000;

test("all nine digits", () => {
  assert.equal(full(AT), "2025-11-29T12:00:00.123456789Z");
  assert.equal(full(1_000_000_001n), "1970-01-01T00:00:01.000000001Z");
  assert.match(both(AT), /^2025-11-29T12:00:00\.123456789Z\n2025-11-.* [+-]\d\d:\d\d local time$/);
});

test("the gutter", () => {
  assert.equal(short(AT, "utc", 0, NOW), "12:00:00.123");
  assert.equal(short(AT, "utc", 6, NOW), "11-29 12:00:00.123");
  assert.equal(short(AT, "utc", 11, NOW), "2025-11-29 12:00:00.123");
  assert.match(short(AT, "local", 11, NOW), /^2025-11-\d\d \d\d:\d\d:00\.123$/);
  assert.equal(short(AT, "age", 6, NOW), "59s");
  assert.equal(short(AT, "off", 6, NOW), "");
  assert.match(short(AT, "local", 0, NOW), /^\d\d:\d\d:00\.123$/);
});

test("times have a day where it is not today, and a year where it is not this one", () => {
  const day = 86_400_000;
  for (const mode of ["utc", "local"] as const) {
    assert.equal(datedBy(NOW - 1000, NOW, NOW, mode), 0);
    assert.equal(datedBy(NOW - day, NOW, NOW, mode), 6, "from yesterday to today");
    assert.equal(datedBy(NOW - 3 * day, NOW - 2 * day, NOW, mode), 6);
    assert.equal(datedBy(NOW - 366 * day, NOW, NOW, mode), 11, "from another year to today");
    assert.equal(datedBy(NOW - 366 * day, NOW - 365 * day - 1, NOW, mode), 11, "the same day of another year");
  }
});

test("a time that somebody types", () => {
  const utc = (text: string) => moment(text, "utc", NOW);
  assert.equal(utc("11:59"), NOW - 120_000);
  assert.equal(utc("11:59:30.5"), NOW - 89_500);
  assert.equal(utc("13:00"), NOW + 3_540_000 - 86_400_000, "the last one before now");
  assert.equal(utc("5m"), NOW - 300_000);
  assert.equal(utc("1h 30m ago"), NOW - 5_400_000);
  assert.equal(utc("2025-11-29 11:00"), NOW - 3_660_000);
  assert.equal(moment("2025-11-29T12:00:00.123456789Z", "local", NOW), 1_764_417_600_123);
  assert.equal(moment("2025-11-29T13:00:00+01:00", "local", NOW), NOW - 60_000);
  assert.equal(moment("12:00Z", "local", NOW), NOW - 60_000);
  for (const text of ["", "noon", "25:00", "12:61", "5", "2025-13-01"]) assert.equal(utc(text), undefined, text);
});

test("days", () => {
  assert.ok(sameDay(NOW, NOW - 1000, "utc"));
  assert.ok(!sameDay(NOW, NOW - 86_400_000, "utc"));
});
