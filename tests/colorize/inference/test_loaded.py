from dataclasses import replace

import pytest

from colorize.inference.loaded import LoadedModels
from colorize.models.record import CheckpointError, list_checkpoints


def with_large(records):
    """ "direct" calls itself large."""
    weights = {"sha256": "0", "bytes": 200_000_000}
    return [replace(r, weights=weights) if r.name == "direct" else r for r in records]


def test_large_models_leave_when_they_are_not_used(checkpoints):
    models = LoadedModels(with_large(list_checkpoints()))
    large, small = models.colorizer("direct"), models.colorizer("bins")
    models.release()
    assert models.colorizer("direct") is large
    models.release(idle=0)
    assert models.colorizer("bins") is small
    again = models.colorizer("direct")
    assert again is not large and models.colorizer("direct") is again


def test_a_model_that_comes_later(checkpoints):
    records = list_checkpoints()
    models = LoadedModels(records[:1])
    with pytest.raises(CheckpointError, match="There is no model 'bins'"):
        models.colorizer("bins")
    before = models.records
    models.add(records[1])
    assert models.colorizer("bins").record == records[1]
    assert list(models.records) == ["direct", "bins"] and list(before) == ["direct"]
