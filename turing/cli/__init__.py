from turing.cli.store import main

__all__ = ["main"]
