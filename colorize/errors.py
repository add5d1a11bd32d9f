"""The one exception that bad input raises, so that every door turns it into one line."""


class ColorizeError(ValueError):
    """One sentence for a person: what was expected, what was found, what to do."""
