"""The one exception that bad input raises, so that every door turns it into one line."""


class ColorizeError(ValueError):
    """One sentence for a person: what was expected, what was found, what to do."""


def printable(text: str) -> str:
    """Without what would break a line or steer a terminal, as file names may."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
