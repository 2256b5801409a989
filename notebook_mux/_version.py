"""The version of the package: the one place that says it, for the build and for the running code."""

__version__ = "0.1.0"
