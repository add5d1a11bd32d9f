import pytest

from turing.analysis.data import one_protocol
from turing.errors import TuringError


def test_protocols_are_not_pooled():
    assert one_protocol(["single", "single"]) == "single"
    with pytest.raises(TuringError, match="one protocol, found single and preference"):
        one_protocol(["single", "preference", "single"])
