"""What is wrong with a schedule, in the words of the library that the real server parses it with (robfig/cron v3)."""

from __future__ import annotations

FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
"""Minute, hour, day of the month, month, day of the week."""

MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
NAMES: tuple[dict[str, int], ...] = ({}, {}, {}, MONTHS, DAYS)
DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
EVERY = "@every "


def problem(schedule: str) -> str:
    """The first thing wrong with a schedule; empty if nothing is."""
    if "TZ" in schedule:
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    if schedule.startswith("@"):
        known = schedule in DESCRIPTORS or schedule.startswith(EVERY)
        return "" if known else f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != len(FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for field, bounds, names in zip(fields, FIELDS, NAMES, strict=True):
        for one in (part for part in field.split(",") if part):
            if said := _range(one, bounds, names):
                return said
    return ""


def _range(said: str, bounds: tuple[int, int], names: dict[str, int]) -> str:
    least, most = bounds
    parts = said.split("/")
    ends = parts[0].split("-")
    if ends[0] in ("*", "?"):
        first, last = least, most
    else:
        numbers: list[int] = []
        for one in ends[:2]:
            number = _number(one, names)
            if isinstance(number, str):
                return number
            numbers.append(number)
        if len(ends) > 2:
            return f"too many hyphens: {said}"
        first, last = numbers[0], numbers[-1]
    step = 1
    if len(parts) == 2:
        found = _number(parts[1], {})
        if isinstance(found, str):
            return found
        step = found
        if "-" not in parts[0]:
            last = most
    elif len(parts) > 2:
        return f"too many slashes: {said}"
    if first < least:
        return f"beginning of range ({first}) below minimum ({least}): {said}"
    if last > most:
        return f"end of range ({last}) above maximum ({most}): {said}"
    if first > last:
        return f"beginning of range ({first}) beyond end of range ({last}): {said}"
    return "" if step else f"step of range should be a positive number: {said}"


def _number(text: str, names: dict[str, int]) -> int | str:
    """A number or a name; a text that says why it is none."""
    if text.lower() in names:
        return names[text.lower()]
    if not text.lstrip("+-").isdigit():
        return f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
    number = int(text)
    return number if number >= 0 else f"negative number ({number}) not allowed: {text}"
