import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from colorize.models.record import (
    CheckpointError,
    Decoding,
    Record,
    check_name,
    checkpoints_folder,
    find_record,
    list_checkpoints,
    published_folder,
    read_record,
    table_of,
    write_record,
)

SHIPPED = sorted((Path(__file__).resolve().parents[3] / "checkpoints").glob("*.json"))

RECORD = Record(
    name="small",
    title="Small",
    summary="One line, with an é",
    network="baseline",
    arguments={},
    size=96,
    decoding={"kind": "direct"},
    data={"train": {"made": 3}},
    scores=[{"model": "small", "mse": 0.01}],
    weights={"sha256": "0" * 64, "bytes": 10, "dtype": "float16"},
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path))
    return tmp_path


def write(folder, **changes):
    """A record file with some keys changed, or left out where the value is `...`."""
    content = json.loads(json.dumps(asdict(RECORD))) | changes
    content = {key: value for key, value in content.items() if value is not Ellipsis}
    file = folder / "small.json"
    file.write_text(json.dumps(content))
    return file


def test_there_and_back(tmp_path):
    write_record(RECORD, tmp_path / "small.json")
    assert read_record(tmp_path / "small.json") == RECORD
    assert [file.name for file in tmp_path.iterdir()] == ["small.json"]


def test_nan_is_never_written(tmp_path):
    write_record(RECORD, tmp_path / "small.json")
    with pytest.raises(ValueError, match="JSON"):
        write_record(replace(RECORD, scores=[{"mse": float("nan")}]), tmp_path / "small.json")
    assert read_record(tmp_path / "small.json") == RECORD


def test_decoding_tells_what_the_network_gives():
    assert not RECORD.over_bins
    assert RECORD.temperature is None
    assert RECORD.how == (RECORD.temperature, 1, 1)
    assert replace(RECORD, decoding={"kind": "direct", "gain": 1.2}).how == (None, 1.2, 1)
    bins = {"kind": "annealed-mean", "temperature": 0.6, "chroma": 1.5}
    assert replace(RECORD, decoding=bins).how == Decoding(0.6, chroma=1.5)


@pytest.mark.parametrize(
    ("decoding", "words"),
    [
        (Decoding(None), ""),
        (Decoding(None, 1.15), "gain 1.15"),
        (Decoding(0.6), "T = 0.6"),
        (Decoding(1, 1.1, 1.5), "T = 1, chroma 1.5, gain 1.1"),
    ],
)
def test_a_decoding_in_words(decoding, words):
    assert str(decoding) == words
    binned = replace(RECORD, decoding={"kind": "annealed-mean", "temperature": 0.38})
    assert binned.over_bins
    assert binned.temperature == 0.38


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other"),
        ("title", 3),
        ("size", 7),
        ("size", 96.0),
        ("decoding", {"kind": "magic"}),
        ("decoding", {"kind": "annealed-mean"}),
        ("decoding", {"kind": "annealed-mean", "temperature": -1}),
        ("decoding", {"kind": "direct", "gain": 0}),
        ("decoding", {"kind": "annealed-mean", "temperature": 1, "chroma": True}),
        ("decoding", {"kind": "annealed-mean", "temperature": float("nan")}),
        ("lightness", [50]),
        ("lightness", [50, 0]),
        ("ab_scale", 0),
        ("ab_scale", float("inf")),
        ("backbone", "resnet"),
        ("scores", {}),
        ("weights", {}),
        ("weights", {"sha256": 5, "bytes": 10}),
        ("default", "yes"),
    ],
)
def test_a_value_that_cannot_be_right_is_named(tmp_path, key, value):
    file = write(tmp_path, **{key: value})
    with pytest.raises(CheckpointError, match=f"the record's {key} cannot be") as error:
        read_record(file)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("key", [key for key in table_of(RECORD) if key != "schema"])
def test_a_missing_key_is_named(tmp_path, key):
    with pytest.raises(CheckpointError, match=f"lacks {key}$"):
        read_record(write(tmp_path, **{key: ...}))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_record_is_written_as_it_is(tmp_path, file):
    write_record(read_record(file), tmp_path / file.name)
    assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_optional_keys_may_be_there_and_are_written_where_they_say_something(folder):
    file = write(folder, stretch=False, tones=False, source="https://example.org", revision="")
    record = read_record(file)
    assert record == replace(RECORD, source="https://example.org")
    write_record(record, file)
    assert json.loads(file.read_text()) == table_of(RECORD) | {
        "lightness": [50, 50],
        "source": "https://example.org",
    }


def test_what_no_network_here_does_is_refused(folder):
    with pytest.raises(CheckpointError, match="the record's tones cannot be True; expected False"):
        read_record(write(folder, tones=True))


def test_a_stretched_photo_is_told(folder):
    record = read_record(write(folder, stretch=True))
    assert record.stretch and table_of(record)["stretch"] is True
    with pytest.raises(CheckpointError, match="the record's stretch cannot be 'yes'"):
        read_record(write(folder, stretch="yes"))


def test_unknown_keys_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"has unknown colour, flavour$"):
        read_record(write(tmp_path, flavour=1, colour=2))


@pytest.mark.parametrize("schema", [0, 2, "1", None, ...])
def test_another_schema_is_another_versions(tmp_path, schema):
    with pytest.raises(CheckpointError, match="expected schema 1, found"):
        read_record(write(tmp_path, schema=schema))


@pytest.mark.parametrize("text", ["", "{", '"text"', "[1]", "\ufffe"])
def test_what_is_no_record_is_one_line(tmp_path, text):
    file = tmp_path / "small.json"
    file.write_text(text, encoding="utf-16")
    with pytest.raises(CheckpointError, match="expected a record in JSON") as error:
        read_record(file)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match="expected a") as error:
        read_record(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


# names


def test_folder_is_the_one_of_the_environment_or_beside_the_package(folder, monkeypatch):
    assert checkpoints_folder() == folder
    monkeypatch.delenv("COLORIZE_CHECKPOINTS")
    assert checkpoints_folder().name == "checkpoints"
    assert (checkpoints_folder().parent / "colorize" / "models" / "record.py").is_file()


def put(folder, *names, default=None):
    for name in names:
        record = replace(RECORD, name=name, default=name == default)
        write_record(record, folder / f"{name}.json")


def test_several_folders_are_looked_in_and_the_first_of_a_name_is_meant(tmp_path, monkeypatch):
    own, theirs = tmp_path / "own", tmp_path / "theirs"
    own.mkdir(), theirs.mkdir()
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", f"{own}{os.pathsep}{theirs}")
    assert (checkpoints_folder(), published_folder()) == (own, theirs)
    put(own, "a", "b", default="b")
    put(theirs, "b", "c")
    assert [record.name for record in list_checkpoints()] == ["b", "a", "c"]
    assert find_record("c") == theirs / "c.json"
    assert find_record("b") == find_record("default") == own / "b.json"
    with pytest.raises(CheckpointError, match=f"in {own} and {theirs} there are: a, b, c"):
        find_record("d")
    monkeypatch.delenv("COLORIZE_CHECKPOINTS")
    assert published_folder() == checkpoints_folder().with_name("published")


@pytest.mark.parametrize(
    ("licence", "facts"),
    [
        ("Apache-2.0, somebody, https://example.org", "Apache-2.0 · 25 MB"),
        ("Trained for research. Backbone: MIT.", "Trained for research · 25 MB"),
        ("MIT", "MIT · 25 MB"),
        ("", "25 MB"),
    ],
)
def test_facts_and_what_was_not_measured(licence, facts):
    weights = {"sha256": "0", "bytes": 25_000_000}
    record = replace(RECORD, licence=licence, weights=weights, training={"note": "not measured"})
    assert record.facts == facts
    assert replace(record, scores=[]).line == f"{record.summary} (not measured)"
    assert replace(record, scores=[{}]).line == record.summary
    assert replace(record, training={}).line == record.summary


def test_a_record_is_printed_short():
    title, network = RECORD.title, RECORD.network
    assert repr(RECORD) == f"Record(name={RECORD.name!r}, {title=}, {network=})"
    assert len(repr(list_checkpoints())) < 1000


def test_list_begins_with_the_default(folder):
    put(folder, "a", "b", "c", default="b")
    assert [record.name for record in list_checkpoints()] == ["b", "a", "c"]
    assert list_checkpoints(folder / "none") == []


def test_default_is_the_one_record_that_says_so(folder):
    put(folder, "a", "b", default="b")
    assert find_record("default") == folder / "b.json"


@pytest.mark.parametrize("defaults", [(), ("a", "b")])
def test_no_default_or_several_is_an_error_that_says_what_to_do(folder, defaults):
    for name in ("a", "b"):
        write_record(replace(RECORD, name=name, default=name in defaults), folder / f"{name}.json")
    with pytest.raises(CheckpointError, match=f"found {len(defaults)}; name a model instead"):
        find_record("default")


@pytest.mark.parametrize("name", ["small", "small.v2", "v1.0"])
def test_a_name_is_looked_up_in_the_folder(folder, name):
    put(folder, name)
    assert find_record(name) == folder / f"{name}.json"


def test_a_path_is_taken_as_it_is(folder, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    put(elsewhere, "small")
    expected = elsewhere / "small.json"
    for path in (elsewhere / "small", expected, elsewhere / "small.safetensors", str(expected)):
        assert find_record(path) == expected
    monkeypatch.chdir(elsewhere)
    assert find_record("small.json").resolve() == expected
    with pytest.raises(CheckpointError, match="No checkpoint 'small'"):
        find_record("small")


def test_an_unknown_name_comes_with_those_there_are(folder):
    put(folder, "a", "b")
    with pytest.raises(CheckpointError, match=r"No checkpoint 'c'; in .* there are: a, b$"):
        find_record("c")
    with pytest.raises(CheckpointError, match="there are: none"):
        find_record(folder / "none" / "c")


@pytest.mark.parametrize("name", ["", "default", "../up", "a/b", ".hidden", "a b", "x" * 101, "ü"])
def test_names_that_no_file_should_have(name):
    with pytest.raises(CheckpointError, match="cannot be called"):
        check_name(name)


def test_names_that_a_file_may_have():
    for name in ("a", "unet-2.1_b", "X" * 100):
        check_name(name)
