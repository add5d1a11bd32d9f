"""How many there are of a thing, as a sentence has it."""


def count(n: int, one: str, many: str = "") -> str:
    """1 trial, 2 trials; `many` where it is not `one` with an s."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def people(n: int) -> str:
    """1 person, 2 people"""
    return count(n, "person", "people")
