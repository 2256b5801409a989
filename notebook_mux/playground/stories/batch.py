"""Programs that end: how far they are, and how it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notebook_mux.playground.stories.program import Program, Said, as_json, evenly, spaced

STEPS = 10
USUAL_S = 10.0
"""Seconds of a job whose length is not known."""


class Import(Program):
    """Reads rows from a file into a database."""

    def begins(self) -> Iterator[Said]:
        """Its progress."""
        random, started, seconds = self.scene.random("import"), self.scene.started, self.scene.planned or USUAL_S
        total = random.randint(40, 900) * 100
        source = f"s3://imports/{spaced(started, '%Y-%m-%d')}/part-{random.randint(1, 64):04d}.csv"
        yield 0.1, self._line(started + 0.1, "INFO", f"import {self.scene.tag}: {source}, {total} rows")
        for at, step in evenly(seconds, STEPS):
            rows = total * step // (STEPS + 1)
            yield at, self._line(started + at, "INFO", f"{rows}/{total} rows ({100 * step // (STEPS + 1)} %)")
            if random.random() < 0.15:
                said = f"row {rows - random.randint(1, 90)}: empty field 'price', taken as 0"
                yield at + 0.01, self._line(started + at + 0.01, "WARN", said)

    def ends(self, at: float, code: int) -> Sequence[str]:
        """Done, or the row that it stumbled over."""
        if code == 0:
            return (self._line(at, "INFO", "done: all rows imported, committed"),)
        return (
            self._line(at, "ERROR", "import failed, rolled back"),
            "Traceback (most recent call last):",
            '  File "/app/import.py", line 88, in <module>',
            "    main()",
            '  File "/app/import.py", line 52, in load',
            '    price = Decimal(row["price"])',
            "decimal.InvalidOperation: [<class 'decimal.ConversionSyntax'>]",
        )

    @staticmethod
    def _line(at: float, level: str, said: str) -> str:
        return f"{spaced(at, '%Y-%m-%d %H:%M:%S')} {level:5} {said}"


class Report(Program):
    """Sums up orders: JSON."""

    parts = ("orders", "refunds", "customers", "stock")

    def begins(self) -> Iterator[Said]:
        """One part after the other."""
        random, started, seconds = self.scene.random("report"), self.scene.started, self.scene.planned or USUAL_S
        yield 0.1, as_json(started + 0.1, "info", "report started", version=self.scene.tag)
        for at, step in evenly(seconds, len(self.parts)):
            done = {"part": self.parts[step - 1], "rows": random.randint(90, 9000)}
            progress = round(step / (len(self.parts) + 1), 2)
            yield at, as_json(started + at, "info", "part done", **done, progress=progress)

    def ends(self, at: float, code: int) -> Sequence[str]:
        """Where the report is, or that there is none."""
        if code == 0:
            return (as_json(at, "info", "report written", to="s3://reports/latest.pdf"),)
        return (as_json(at, "fatal", "report failed", error="s3: access denied"),)
