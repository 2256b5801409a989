"""The annotation by which a change is known again wherever it arrives."""

MARK = "benchmarks.notebook-mux/mark"
