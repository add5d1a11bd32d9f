"""Measurements of the running program: `python -m benchmarks.NAME --help`."""
