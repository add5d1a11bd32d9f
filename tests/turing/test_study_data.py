import pytest

from turing.errors import TuringError
from turing.study_data import one_protocol


def test_protocols_are_not_pooled():
    assert one_protocol(["single", "single"]) == "single"
    with pytest.raises(TuringError, match="one protocol, found single and preference"):
        one_protocol(["single", "preference", "single"])
