"""The benchmarks of speed measure what they say, on photos that are small enough for a test."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from benchmarks import __main__ as command
from benchmarks.speed import folder as many
from benchmarks.speed import (
    footprint,
    models,
    networks,
    photos,
    report,
    scaling,
    stages,
    starting,
    strokes,
    tab,
    visitors,
)
from colorize.models.published import VARIANTS
from colorize.training.start import cpu_has_bf16


@pytest.fixture(scope="module")
def found(tmp_path_factory, shipped_checkpoints):
    """All parts but the app's start, once, tiny."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORIZE_CHECKPOINTS", str(shipped_checkpoints))
        folder = tmp_path_factory.mktemp("speed")
        return {
            "machine": report.machine(),
            "stages": stages.measure(folder, 0.05, rounds=2),
            "scaling": scaling.measure(folder, (0.02, 0.05), photos=3, rounds=1, each=0.02),
            "folder": many.measure(photos=2, megapixels=0.02),
            "networks": networks.measure(16, rounds=1),
            "strokes": strokes.measure(1, "bins"),
            "models": models.measure(folder, 0.05, rounds=3, only=("direct", "siggraph17")),
            "starting": {
                "imports": [{"package": "colorize", "seconds": 0.05, "loads": []}],
                "app": {
                    "imports": {"torch": 1.0, "gradio": 2.0, "others": 3.0},
                    **{"rest": 0.5, "served": 6.5, "first": 1.25, "second": 0.25},
                },
            },
            "visitors": {
                **{"visitors": 300, "megapixels": 0.2, "bound": 512.0},
                **{"started": 478.0, "first": 870.4, "all": None, "peak": 1641.6},
            },
            "tab": {
                **{"megapixels": 2.0, "large": 12.0, "photos": 200, "bound": 512.0},
                "batches": [
                    {"photos": 1, "first": 0.5, "all": 0.5},
                    {"photos": 30, "first": 0.5, "all": 9.0},
                ],
                "looks": {"preview": 0.05, "stroke": 0.2, "variants": 0.25, "tile": 0.04},
                "memory": {"started": 480.0, "all": 1201.4, "peak": None},
            },
        }


@pytest.mark.parametrize("kind", photos.KINDS)
def test_photos_have_their_size_and_are_all_different(kind):
    made = [photos.make_photo(0.05, kind, seed) for seed in range(9)]
    assert {image.mode for image in made} == {"L" if kind == "grey" else "RGB"}
    for image in made:
        assert image.width * image.height == pytest.approx(5e4, rel=0.02)
        assert np.asarray(image).std() > 20
    assert len({image.tobytes() for image in made}) == 9
    assert photos.make_photo(0.05, kind, 3).tobytes() == made[3].tobytes()


def test_stages_are_parts_of_the_total(found):
    rows = found["stages"]["rows"]
    assert {(row["in"], row["out"]) for row in rows} == {
        (kind, ending) for kind in photos.KINDS for ending in ("jpg", "png")
    }
    for row in rows:
        assert all(row[stage] > 0 for stage in stages.STAGES)
        assert row["lowest"] <= row["ratio"] <= row["highest"]
        assert row["work_ratio"] > 0


def test_stages_are_timed_within_the_block_only(checkpoints, tmp_path):
    from colorize import Colorizer

    colorizer, photo = Colorizer("default"), photos.write_photo(tmp_path, 0.05)
    with stages.timed_stages() as seconds:
        colorizer(photo).save(tmp_path / "out.jpg")
    before = dict(seconds)
    assert set(before) == set(stages.STAGES)
    colorizer(photo).save(tmp_path / "out.jpg")
    assert dict(seconds) == before


def test_no_second_is_counted_twice(checkpoints, tmp_path, monkeypatch):
    """Here every part of the merge lets what waits be finished within it."""
    import time

    from colorize import Colorizer
    from colorize.color import merge

    monkeypatch.setattr(merge, "_WAITING", 0)
    monkeypatch.setattr(merge.Merger, "finish", lambda merger: time.sleep(0.05))
    colorizer, photo = Colorizer("default"), photos.write_photo(tmp_path, 0.05)
    with stages.timed_stages() as seconds:
        began = time.perf_counter()
        colorizer(photo).save(tmp_path / "out.jpg")
        total = time.perf_counter() - began
    assert seconds["merge"] > 0.1  # within the only part, and at the end
    assert sum(seconds.values()) <= total


def test_every_level_of_png_is_weighed(found):
    assert [row["level"] for row in found["stages"]["png"]] == list(stages.PNG_LEVELS)
    assert all(row["MB"] > 0 for row in found["stages"]["png"])
    assert found["stages"]["png_level"] in stages.PNG_LEVELS


def test_a_large_photo_needs_more_memory_and_its_whole_is_counted(checkpoints, tmp_path):
    files = [photos.write_photo(tmp_path, size, "colour") for size in (0.02, 8)]
    small, large = footprint.in_fresh_process(files, tmp_path)
    assert 0 < small["seconds"] < large["seconds"]
    if large["MB"] is None:
        pytest.skip("the system does not tell the most memory used")
    assert large["MB"] > small["MB"]
    assert 8 * 3 < large["MB"] < 500  # its pixels are there at once, and no floats of it
    for file in files:
        with Image.open(tmp_path / f"out-{file.name}") as out, Image.open(file) as photo:
            assert out.size == photo.size


def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="was not found"):
        footprint.in_fresh_process([tmp_path / "none.jpg"], tmp_path)


def test_sizes_and_numbers_are_drawn(found, tmp_path):
    sizes = found["scaling"]["sizes"]
    assert [row["megapixels"] for row in sizes] == [0.02, 0.02, 0.05, 0.05]
    numbers = found["scaling"]["numbers"]
    assert [row["photos"] for row in numbers] == [1, 2, 3]
    assert numbers[0]["seconds"] < numbers[1]["seconds"] < numbers[2]["seconds"]
    scaling.plot(found["scaling"], tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as image:
        assert image.width > 800
        assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)


def test_every_network_is_run_in_the_precisions_that_the_processor_has(found):
    rows = found["networks"]["rows"]
    assert {"direct", "bins", "zhang", "unet"} <= {row["model"] for row in rows}
    assert all(row["fp32"] > 0 and row["parameters"] > 0 for row in rows)
    assert {row["bf16"] is not None for row in rows} == {cpu_has_bf16()}


def test_every_model_is_measured_in_a_process_of_its_own(found):
    ours, theirs = found["models"]["rows"]
    assert (ours["model"], ours["command"]) == ("direct", None)
    assert theirs["command"] == "import siggraph17 FILE -o siggraph17"
    assert theirs["licence"] == "BSD-2-Clause"
    assert 0 < ours["seconds"] < theirs["seconds"] and ours["weights_MB"] < theirs["weights_MB"]
    if ours["MB"] is not None:
        assert 100 < ours["MB"] < theirs["MB"]
    table = report.models_table(found["models"])
    assert "| `direct` | baseline, random | " in table and "| here |" in table
    assert "`python -m colorize import siggraph17 FILE -o siggraph17`" in table
    assert set(models.COMMANDS) == set(VARIANTS)


def test_the_table_of_models_alone_is_renewed(found, tmp_path, monkeypatch):
    monkeypatch.setattr(
        command, "_measures", lambda: {"models": lambda folder, options: found["models"]}
    )
    document = tmp_path / "README.md"
    document.write_text("a\n<!-- all-models -->\nold\n<!-- /all-models -->\nb\n", "utf-8")
    assert command.main(["models", "--document", str(document)]) == 0
    text = document.read_text("utf-8")
    assert text.startswith("a\n<!-- all-models -->\n\n| model |") and text.endswith("-->\nb\n")
    assert "old" not in text and "Measured on" not in text


def test_imports_are_told_apart_by_package():
    log = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |   torch._C
import time:      2000 |       2100 | torch
import time:     50000 |      60000 | gradio.blocks
import time:     30000 |      30000 | gradio_client
import time:      1000 |       1000 | numpy
Colorize runs at http://127.0.0.1:7860 (Ctrl-C ends it)
"""
    seconds = starting.import_seconds(log)
    assert seconds == pytest.approx({"torch": 0.0021, "gradio": 0.08, "others": 0.001})


def test_an_import_that_loads_torch_is_found():
    assert starting.imported("colorize", 1)["loads"] == []
    assert starting.imported("torch", 1)["loads"] == ["torch"]


def test_the_tables_say_what_was_found(found):
    text = report.markdown(found)
    row = found["stages"]["rows"][0]
    assert f"| {row['ratio']:.1f} | {row['lowest']:.1f}–{row['highest']:.1f} |" in text
    assert "**A folder** of 2 photos of 0.02 megapixels" in text
    assert f"That is {found['folder']['ratio']:.2f} times as fast. All files are the same" in text
    assert "`import colorize` takes 50 ms (loads neither torch nor gradio)" in text
    assert "| **from the command to the first colorization** | 7.75 |" in text
    assert "| 2 (ours) |" in text
    for line in text.splitlines():  # every row of a table has its columns
        if line.startswith("|"):
            assert line.endswith("|")
    only = report.markdown({key: found[key] for key in ("machine", "networks")})
    assert "megapixels" not in only


def test_files_that_are_not_the_same_are_told(found):
    part = found["folder"] | {"different": 2, "different_pixels": 1.2e-5}
    text = report.markdown(
        {"machine": found["machine"] | {"cores": 1, "threads": 1}, "folder": part}
    )
    assert "2 of the files are not the same to the byte; 12 of a million of their pixels" in text
    assert "Measured on 1 core (" in text
    assert "1 thread of PyTorch" in text


def test_the_command_writes_what_it_is_asked_for(found, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        command,
        "_measures",
        lambda: {part: lambda folder, options, part=part: found[part] for part in command.PARTS},
    )
    document = tmp_path / "README.md"
    document.write_text("before\n<!-- speed -->\nstale\n<!-- /speed -->\nafter\n", "utf-8")
    files = {key: tmp_path / f"out.{key}" for key in ("json", "plot")}
    options = ["--json", str(files["json"]), "--plot", str(files["plot"])]
    assert command.main([*options, "--document", str(document)]) == 0
    text = document.read_text("utf-8")
    assert text.startswith("before\n<!-- speed -->")
    assert text.endswith("<!-- /speed -->\nafter\n")
    assert "stale" not in text
    assert "ratio of processor time" in text
    assert set(json.loads(files["json"].read_text("utf-8"))) == {"machine", *command.PARTS}
    assert files["plot"].stat().st_size > 0
    assert "ratio of processor time" in capsys.readouterr().out
    assert command.main(["networks", "--document", str(document)]) == 2
    assert "all parts" in capsys.readouterr().err
    assert document.read_text("utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "There is no part 'nothing'; parts are stages, scaling"),
        (["--document", "none.md"], "none.md"),
        (["--json", "no-such-folder/a.json"], "no folder"),
    ],
)
def test_wrong_use_is_told_before_anything_is_measured(
    arguments, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_measures", dict)
    assert command.main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_document_without_the_marks_is_left_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "_measures", dict)
    (tmp_path / "a.md").write_text("text\n", "utf-8")
    assert command.main(["--document", str(tmp_path / "a.md")]) == 2
    assert "<!-- speed -->" in capsys.readouterr().err
    assert (tmp_path / "a.md").read_text("utf-8") == "text\n"


@pytest.mark.slow
def test_visitors_take_memory_up_to_the_bound(shipped_checkpoints, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(shipped_checkpoints))
    found = visitors.measure(4, COLORIZE_VISITOR_MEMORY="1", OMP_NUM_THREADS="1")
    assert (found["visitors"], found["bound"]) == (4, 1)
    if found["started"] is not None:
        assert 100 < found["started"] < found["first"] <= found["peak"]
        assert found["all"] <= found["peak"]


def test_what_visitors_took_is_told(found):
    (section,) = re.findall(r"\*\*Visitors\*\*.*", report.markdown(found), re.DOTALL)
    assert "COLORIZE_VISITOR_MEMORY` is 512" in section
    assert "| after 300 | – |" in section and "| at most | 1642 |" in section


def test_what_a_visitor_waits_for_is_told(found):
    told = report.markdown({"machine": found["machine"], "tab": found["tab"]})
    assert "| 30 photos | 0.50 | 9.0 | 0.30 |" in told
    assert "| a stroke, seen at 800 pixels | 200 | 4.0 |" in told
    assert "After 200 photos of one visitor the app's process has 1201 MB (480 when" in told


@pytest.mark.slow
def test_the_tab_is_measured_over_http(shipped_checkpoints, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(shipped_checkpoints))
    found = tab.measure((1, 3), photos=5, megapixels=0.05, large=0.8, rounds=1)
    assert [row["photos"] for row in found["batches"]] == [1, 3]
    assert all(0 < row["first"] <= row["all"] for row in found["batches"])
    assert all(seconds > 0 for seconds in found["looks"].values())
    assert found["memory"]["all"] >= found["memory"]["started"]
