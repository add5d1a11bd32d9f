"""The file of IDs that may not take part."""

import pytest

from tests.turing.support.studies import study_text
from turing.errors import TuringError
from turing.study.blocklist import blocked_ids
from turing.study.study import load_study


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(study_text(asks='blocklist = "lists/earlier.txt"'))
    (tmp_path / "lists").mkdir()
    return load_study(file)


def test_one_id_a_line(study, tmp_path):
    lines = "\ufeffone\r\n  two \n\n# three\nM\u00fcller\n"
    (tmp_path / "lists" / "earlier.txt").write_bytes(lines.encode())
    assert blocked_ids(study) == ("one", "two", "# three", "M\u00fcller")


def test_no_list_is_asked_for(tmp_path):
    (tmp_path / "study.toml").write_text(study_text())
    assert blocked_ids(load_study(tmp_path / "study.toml")) == ()


def test_what_is_no_list(study, tmp_path):
    with pytest.raises(TuringError, match=r"blocklist: expected a file of IDs.*earlier\.txt"):
        blocked_ids(study)
    (tmp_path / "lists" / "earlier.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(TuringError, match="expected IDs in UTF-8"):
        blocked_ids(study)
