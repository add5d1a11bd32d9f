"""A keeper that is driven by hand."""

import time

from turing.backup.keeper import Keeper

SOON = 60.0  # seconds that a busy machine may take for what takes none


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


class Hand:
    """A keeper that is driven by hand, without its thread."""

    def __init__(self, remote, store, **settings):
        self.clock = Clock()
        self.keeper = Keeper(remote, store.path.parent, ["tiny"], clock=self.clock, **settings)
        self.kept = self.keeper._kept["tiny"]

    @property
    def sentence(self):
        return self.keeper.sentence("tiny")

    def after(self, seconds):
        self.clock.now += seconds
        self.keeper._look_after(self.kept)
        return len(self.keeper.remote.stored())


def other(remote, tmp_path):
    """A keeper of the same study on a machine that has no store yet."""
    return Keeper(remote, tmp_path / "fresh", ["tiny"])
