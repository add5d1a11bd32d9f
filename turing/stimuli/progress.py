"""How a long task tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done ("photos", "pictures"), how many are done, and of how many."""


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
