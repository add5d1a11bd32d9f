"""`python -m benchmarks.experiments.hints`, for which see ways.py."""

import typer

from benchmarks.experiments.hints import ways

typer.run(ways.main)
