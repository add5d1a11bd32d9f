import csv
import re
from pathlib import Path

import pytest

from colorize.batch.manifest import COLUMNS, cell, check_manifest, open_manifest
from colorize.errors import ColorizeError

A, B, C = ((Path(f"in/{name}.jpg"), Path(f"out/{name}.jpg")) for name in "abc")


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "list.csv"


def rows(file):
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def write(file, *lines, tasks=(A, B, C), resume=False):
    with open_manifest(file, tasks, resume=resume) as manifest:
        for (source, target), *rest in lines:
            error = rest[0] if rest else ""
            manifest.add(source, target, "unet", seconds=1.25, error=error)


def test_a_row_a_photo(file):
    write(file, [A], [B, "in/b.jpg is empty"])
    assert rows(file) == [
        dict(zip(COLUMNS, ("in/a.jpg", "out/a.jpg", "unet", "1.250", ""), strict=True)),
        dict(
            zip(
                COLUMNS,
                ("in/b.jpg", "out/b.jpg", "unet", "1.250", "in/b.jpg is empty"),
                strict=True,
            )
        ),
    ]


def test_a_row_is_on_disk_at_once(file):
    with open_manifest(file, [A]) as manifest:
        manifest.add(*A, "unet", seconds=1)
        assert len(rows(file)) == 1


def test_without_resume_it_begins_anew(file):
    write(file, [A])
    write(file, [B])
    assert [row["input"] for row in rows(file)] == ["in/b.jpg"]


def test_resuming_keeps_what_was_done_and_drops_failures(file):
    write(file, [A], [B, "failed"])
    with open_manifest(file, [A, B, C], resume=True) as manifest:
        assert manifest.knows(*A, "unet")
        assert not manifest.knows(*A, "another")
        assert not manifest.knows(*B, "unet")
        assert [row["input"] for row in rows(file)] == ["in/a.jpg"]
        manifest.add(*B, "unet", seconds=2)
    assert [row["input"] for row in rows(file)] == ["in/a.jpg", "in/b.jpg"]
    assert rows(file)[1]["error"] == ""


def test_who_is_done_again_has_one_row(file):
    write(file, [A], [B])
    write(file, [A, "failed now"], resume=True)
    assert {row["input"]: row["error"] for row in rows(file)} == {
        "in/a.jpg": "failed now",
        "in/b.jpg": "",
    }
    assert len(rows(file)) == 2


def test_rows_of_other_photos_stay(file):
    write(file, [A, "failed"], [B])
    write(file, [C], tasks=[C], resume=True)
    assert [(row["input"], row["error"]) for row in rows(file)] == [
        ("in/a.jpg", "failed"),
        ("in/b.jpg", ""),
        ("in/c.jpg", ""),
    ]


@pytest.mark.parametrize("cut", [1, 2, 9, 20, 28])
def test_a_row_that_was_cut_off_is_dropped(file, cut):
    write(file, [A], [B])
    file.write_bytes(file.read_bytes()[:-cut])
    write(file, [C], resume=True)
    assert [row["input"] for row in rows(file)] == ["in/a.jpg", "in/c.jpg"]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'=1", "''", 'a"b,c', "a\nb", "ü 日"]
)
def test_names_come_through_and_run_nothing(file, name):
    task = (Path(f"{name}.jpg"), Path(f"{name}.png"))
    write(file, [task, f"{name}.jpg is empty"], tasks=[])
    (row,) = rows(file)
    for value, text in (
        (row["input"], str(task[0])),
        (row["output"], str(task[1])),
        (row["error"], f"{name}.jpg is empty"),
    ):
        assert not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert value.removeprefix("'") == text or value == text
    with open_manifest(file, [], resume=True) as manifest:
        assert not manifest.knows(*task, "unet")  # it had failed
    write(file, [task], tasks=[task], resume=True)
    with open_manifest(file, [task], resume=True) as manifest:
        assert manifest.knows(*task, "unet")
    assert len(rows(file)) == 1


def test_different_text_stays_different():
    assert len({cell(text) for text in ("=1", "'=1", "''=1", "1")}) == 4


@pytest.mark.parametrize(
    "start",
    ["=", " =", "\xa0=", "\x01=", "\u200b=", "\ufeff=", '"=', "\uff1d", " \uff20", "\u2060+"],
)
def test_no_spreadsheet_finds_a_formula_behind_what_it_drops(start):
    assert cell(f"{start}1+1.jpg") == f"'{start}1+1.jpg"
    assert cell(f"a;{start}1+1.jpg") == f"a;'{start}1+1.jpg"


@pytest.mark.parametrize("between", [";", "\t", ",", "\n"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", '"=', "'=", "\x01=", "\u200b="])
def test_no_spreadsheet_finds_a_formula_in_a_name(file, between, start):
    """Whatever it cuts a line at: files of other people are called as they like."""
    name = f"a{between}{start}1+1{between}b.jpg"
    task = (Path("in") / name, Path("out") / name)
    write(file, [task], tasks=[task])
    text = file.read_text("utf-8")
    for cut in (",", ";", "\t", "\n"):
        for part in text.replace("\r\n", "\n").replace(cut, "\0").split("\0"):
            assert not re.match(r'[ "]*[=+@]|[ "]*-\d', part), (cut, part)
    with open_manifest(file, [task], resume=True) as manifest:
        assert manifest.knows(*task, "unet")


def test_it_is_utf_8_without_a_mark_as_programs_read_it(file):
    """Excel is told at opening (docs/many-photos.md): a mark would be part of the first column."""
    task = (Path("in/Großmutter-日本.jpg"), Path("out/Großmutter-日本.jpg"))
    write(file, [task], tasks=[task])
    assert file.read_bytes().startswith(b"input,")
    assert rows(file)[0]["input"] == str(task[0])


def test_names_that_are_no_text_can_be_written(file):
    task = (Path("\udcff.jpg"), Path("out/\udcff.jpg"))
    write(file, [task], tasks=[task])
    assert rows(file)[0]["input"] == "\\udcff.jpg"


def test_what_is_no_manifest_is_kept(file, tmp_path):
    file.write_text("my,own,list\n1,2,3\n")
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(ColorizeError, match="expected the columns input,output"):
            check_manifest(file, **({"resume": False, "overwrite": False} | options))
    with pytest.raises(ColorizeError, match="exists already; --resume goes on"):
        check_manifest(file, resume=False, overwrite=False)
    with pytest.raises(ColorizeError, match="found a folder"):
        check_manifest(tmp_path, resume=False, overwrite=False)
    with pytest.raises(ColorizeError, match="make it first"):
        check_manifest(tmp_path / "no" / "list.csv", resume=False, overwrite=False)


def test_an_earlier_manifest_may_be_gone_on_with_or_replaced(file):
    check_manifest(file, resume=False, overwrite=False)
    write(file, [A])
    check_manifest(file, resume=True, overwrite=False)
    check_manifest(file, resume=False, overwrite=True)


@pytest.mark.parametrize("name", ["a\nb", "a\r\nb", "\n", 'a"\n,b'])
def test_a_row_with_line_breaks_is_whole_or_dropped(file, name):
    """Wherever a killed process left it; those before stay."""
    task = (Path(f"in/{name}.jpg"), Path(f"out/{name}.jpg"))
    write(file, [A], tasks=[A])
    before = file.read_bytes()
    write(file, [task], tasks=[task], resume=True)
    content = file.read_bytes()
    for end in range(len(before), len(content)):
        file.write_bytes(content[:end])
        with open_manifest(file, [A, task], resume=True) as manifest:
            assert manifest.knows(*A, "unet") and not manifest.knows(*task, "unet")
        assert file.read_bytes() == before
