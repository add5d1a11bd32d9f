from colorize.cli.checkpoints import main

__all__ = ["main"]
