"""The exceptions that bad input raises, so that every door turns it into one line."""


class TuringError(ValueError):
    """For a person: what was expected, what was found, what to do; one line for each fault."""


class WrongUseError(TuringError):
    """What was asked for makes no sense, whatever the files hold: commands end with 2."""
