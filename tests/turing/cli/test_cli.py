"""Every command as a person types it: what it prints, what it leaves, how it ends."""

import csv
import json
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

from tests.turing.support.studies import BEFORE, build, built, rows, study_text
from turing.analysis.analysis import analyse
from turing.analysis.frames import load_data
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.cli import app
from turing.report.words import answer
from turing.store.people import new_token
from turing.store.sessions import Sessions
from turing.store.store import Store
from turing.store.upkeep.forgetting import receipt_of

DOORS = (
    *("build", "preview", "open", "close", "status", "results", "report", "export", "power"),
    *("simulate", "backup", "restore", "merge", "release", "forget", "publish"),
)

ONE_PHOTO = """
[study]
name = "one"
title = "One"
protocol = "pick-original"
seed = 1
[stimuli]
photos_per_dataset = 0
display_size = 64
models = ["baseline"]
datasets = [{ name = "p", folder = "photos" }]
[trials]
per_participant = 1
practice = 0
catch = 0
exposure_ms = 0
[texts]
consent = "Will you?"
instructions = "Look."
"""


def run(*arguments, code=0, env=None):
    """Standard output and error of a command that ends with `code`."""
    result = CliRunner().invoke(
        app, [str(a) for a in arguments], env={"COLUMNS": "120"} | (env or {})
    )
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path):
    """A built study with its file."""
    built(tmp_path / "studies").close()
    (tmp_path / "study.toml").write_text(study_text())
    return tmp_path


@pytest.fixture
def store(folder):
    return folder / "studies" / "tiny.sqlite"


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory):
    directory = tmp_path_factory.mktemp("filled")
    with built(directory) as store:
        skills = Skills({(None, "plain"): 0.95}, careless=0.1, withdraws=0.1)
        simulate(store, skills, 12, seed=2)
    return directory


@pytest.fixture
def filled(filled_once, tmp_path):
    shutil.copytree(filled_once, tmp_path / "filled")
    return tmp_path / "filled" / "tiny.sqlite"


def take_part(store, **query):
    with Store(store) as opened:
        opened.open_study()
        Sessions(opened).start(new_token(), query, BEFORE, None)


def test_help_lists_every_door():
    out, _ = run("--help")
    assert all(f"  {name} " in out for name in DOORS)


@pytest.mark.parametrize("name", DOORS)
def test_every_command_explains_itself_with_an_example(name):
    out, _ = run(name, "--help")
    assert f"python -m turing {name} " in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("results",),
        ("power", "--trials", "x"),
        ("power", "--margin", "0.7"),
        ("power", "--margin", "nan"),
        ("power", "--effect", "0.5"),
        ("power", "--effect", "1"),
        ("power", "--power", "0.9"),
        ("power", "--power", "1", "--margin", "0.1"),
        ("power", "--trials", "30", "--photos", "20"),
        ("export", "a.sqlite"),
        ("export", "{store}", "-o", "{folder}/choices.xls"),
        ("export", "{store}", "-o", "{folder}/choices.csv", "--version", str(10**20)),
        ("report", "{store}", "-o", "{store}"),
        ("report", "{store}", "-o", "{folder}"),
        ("merge", "{store}", "{store}", "-o", "{folder}/all.db"),
        ("restore", "{store}", "{store}"),
        ("forget", "{store}", "0"),
        ("forget", "{store}"),
        ("forget", "{store}", "1", "--receipt", "ABCDE-FGHIJ"),
        ("forget", "{store}", str(10**20)),
        ("preview", "{folder}/study.toml", "--address", "lab.example"),
        ("build", "{folder}/study.toml", "--part", str(10**20)),
        ("deploy", "nonsense"),
        ("fetch", "demo", "--from", "s3://nonsense"),
        ("fetch", "../demo", "--from", "{folder}"),
        ("simulate", "{store}", "--left", "inf"),
        ("simulate", "{store}", "--sd-people", "nan"),
        ("simulate", "{store}", "--sd-photos", "-1"),
        ("simulate", "{store}", "--careless", "0.6", "--leave", "0.6"),
        ("simulate", "{store}", "--fraction", "1.5"),
        ("simulate", "{store}", "--skill", "plain"),
        ("simulate", "{store}", "--skill", "plain=2"),
        ("simulate", "{store}", "--skill", "nobody=0.7"),
        ("results", "{store}", "--version", "one"),
    ],
)
def test_wrong_use_ends_with_2_and_changes_nothing(folder, store, arguments):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    out, err = run(*(a.format(folder=folder, store=store) for a in arguments), code=2)
    assert not out and err
    opened = {store.with_name(f"{store.name}{ending}") for ending in ("-wal", "-shm")}
    after = {path for path in folder.rglob("*") if path.is_file()} - opened
    assert after == set(before) and all(path.read_bytes() == before[path] for path in after)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("power", "--margin", "0.7"), "--margin"),
        (("power", "--effect", "2"), "--effect"),
        (("power", "--power", "1", "--margin", "0.1"), "--power"),
        (("simulate", "{store}", "--fraction", "0"), "--fraction"),
        (("simulate", "{store}", "--careless", "-1"), "--careless"),
    ],
)
def test_a_number_that_is_refused_goes_by_its_options_name(store, arguments, option):
    _, err = run(*(a.format(store=store) for a in arguments), code=2)
    assert f"'{option}'" in err and "expected a number" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "{folder}/study.toml", "--store", "{folder}/new/one"),
        ("backup", "{folder}/study.toml", "{folder}/new/one"),
        ("simulate", "{folder}/study.toml", "-o", "{folder}/new/one"),
        ("merge", "{store}", "{folder}/study.toml", "-o", "{folder}/new/one.sqlite"),
        ("restore", "{folder}/study.toml", "{folder}/new/one.sqlite"),
        ("export", "{store}", "-o", "{folder}/new/one.csv", "--version", "7"),
        ("fetch", "demo", "--from", "{folder}/none", "--store", "{folder}/new/one"),
    ],
)
def test_what_fails_leaves_no_folder(folder, store, arguments):
    run(*(a.format(folder=folder, store=store) for a in arguments), code=1)
    assert not (folder / "new").exists()


def test_a_file_where_a_folder_should_be(folder, store):
    file = folder / "study.toml"
    for arguments in (("backup", store, file), ("simulate", store, "-o", file)):
        assert run(*arguments, code=1)[1] == f"{file}: expected a folder, found a file\n"
    assert file.read_text() == study_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("results", "no.sqlite"), "no.sqlite: expected a study's store, found none"),
        (("report", "{folder}/study.toml"), "expected a study's store, found another kind"),
        (("status", "no.toml"), "no.toml: expected a study file"),
        (("open", "{folder}/study.toml", "--store", "{folder}"), "is not built there"),
        (("close", "{folder}/study.toml", "--store", "{folder}/studies"), "was never opened"),
        (("results", "{store}", "--version", "7"), "expected a version of 1, found 7"),
        (("report", "{store}", "-o", "{folder}/no/report.html"), "there is no folder"),
        (("report", "{store}", "-o", "{folder}/is.html"), "expected a file's name, found a folder"),
        (("results", "{folder}"), "expected a study's store, found a folder"),
        (("restore", "{folder}", "{store}"), "expected a study's store, found a folder"),
        (
            ("export", "{store}", "-o", "{folder}/choices.csv", "--version", "7"),
            "expected a version of 1, found 7",
        ),
        (("release", "{store}", "nobody"), "no participant has PROLIFIC_PID 'nobody'"),
        (("forget", "{store}", "99"), "participant 99 was never there"),
        (("forget", "{store}", "--receipt", "ABCDE-FGHIJ"), "no participant has the receipt"),
        (("backup", "{store}", "{folder}/studies"), "another folder"),
        (("restore", "{folder}/study.toml", "{store}"), "another kind of file"),
        (("merge", "{store}", "{store}", "-o", "{store}"), "is there already"),
    ],
)
def test_what_fails_is_one_line_and_ends_with_1(folder, store, arguments, message):
    (folder / "is.html").mkdir()
    out, err = run(*(a.format(folder=folder, store=store) for a in arguments), code=1)
    assert not out and message in err and len(err.splitlines()) == 1


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Six photos in each of two folders: blocks of colour, unlike each other."""
    # Without checkpoints the models under test serve for practice as well.
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    for seed, dataset in enumerate(("hills", "apples")):
        (tmp_path / dataset).mkdir()
        for number in range(6):
            rng = np.random.default_rng([seed, number])
            blocks = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
            picture = blocks.resize((72, 60), Image.Resampling.BICUBIC)
            picture.save(tmp_path / dataset / f"{number}.png")
    # Models that need no checkpoint: the original's own colours at a low resolution.
    text = study_text().replace('["plain", "bright"]', '["control-2", "control-4"]')
    (tmp_path / "study.toml").write_text(text)
    return tmp_path


@pytest.mark.slow
def test_build_renders_a_study_once_and_prints_what_to_do(photos):
    study = (photos / "study.toml", "--store", photos / "studies")
    out, _ = run("build", *study)
    assert "hills: 6 of 6 photos are used" in out
    assert "tiny: version 1 is built, 46 pictures made, 0 kept" in out
    assert "Pre-registration: " in out and "&preview=" in out
    assert "0 pictures made, 46 kept" in run("build", *study)[0]
    run("open", *study)
    out, _ = run("simulate", photos / "studies" / "tiny.sqlite", "--participants", "4")
    html = photos / "report.html"
    run("report", photos / "studies" / "simulated" / "tiny.sqlite", "-o", html)
    assert "data:image/jpeg;base64," in html.read_text("utf-8")


@pytest.mark.slow
def test_the_check_finds_no_leak(photos):
    (photos / "study.toml").write_text(
        (photos / "study.toml").read_text().replace("per_participant = 6", "per_participant = 8")
    )
    out, _ = run("build", photos / "study.toml", "--store", photos / "studies", "--check")
    assert "no better than chance" in out


def test_parts_of_a_study_are_kept_apart(photos):
    study = (photos / "study.toml", "--store", photos / "studies")
    run("build", *study, "--part", "2")
    assert "0 pictures made" in run("build", *study)[0]
    assert "part 2" in run("status", *study)[0]
    assert "holds part 2" in run("build", *study, "--part", "1", code=1)[1]


def test_a_build_that_fails_leaves_nothing(photos):
    shutil.rmtree(photos / "apples")
    study = (photos / "study.toml", "--store", photos / "studies")
    _, err = run("build", *study, code=1)
    assert "apples" in err and len(err.splitlines()) == 1
    assert not (photos / "studies").exists()


@pytest.mark.parametrize(
    ("days", "said"),
    [(30, "(retention), 30 days from now"), (-1, "were to be deleted by")],
)
def test_status_names_the_day_by_which_answers_go(tmp_path, days, said):
    until = datetime.now(UTC).date() + timedelta(days=days)
    asks = f"retention = {until}"
    built(tmp_path / "studies", asks=asks).close()
    (tmp_path / "study.toml").write_text(study_text(asks=asks))
    out = run("status", tmp_path / "study.toml", "--store", tmp_path / "studies")[0]
    assert said in out and str(until) in out


def test_publish(filled, tmp_path):
    out, _ = run("publish", filled, "-o", tmp_path / "data")
    assert "46 stimuli, with the trial key" in out  # made-up people leave a study closed
    assert (tmp_path / "data" / "dataset_description.json").is_file()
    choice = next(
        each
        for each in json.loads((tmp_path / "data" / "data" / "trials_data.json").read_text())[
            "variableMeasured"
        ]
        if each["name"] == "choice"
    )
    assert '"Which photo is real?"' in choice["description"]
    assert "is there already" in run("publish", filled, "-o", tmp_path / "data", code=1)[1]


def test_open_close_and_status(folder, store):
    study = (folder / "study.toml", "--store", folder / "studies")
    assert "tiny: built, not open yet, version 1, part 1" in run("status", *study)[0]
    out, _ = run("open", *study)
    assert out == "tiny is open: http://127.0.0.1:7860/study?study=tiny\n"
    with Store(store) as opened:
        assert opened.facts().state == "open"
    take_part(store)
    out, _ = run("status", *study, "--address", "https://lab.example/")
    assert "tiny: open" in out and "1 started, 0 finished" in out
    assert "link: https://lab.example/study?study=tiny" in out
    assert "closed" in run("close", *study)[0]
    with Store(store) as opened:
        assert opened.facts().state == "closed"


def test_the_store_is_where_the_environment_says(folder):
    out, _ = run("status", folder / "study.toml", env={"TURING_STORE": str(folder / "studies")})
    assert out.startswith("tiny: built")


def test_a_file_that_was_changed_since_is_not_opened(folder, store):
    (folder / "study.toml").write_text(study_text(per_participant=4))
    study = (folder / "study.toml", "--store", folder / "studies")
    _, err = run("open", *study, code=1)
    assert "has changed since version 1 was built; build it again" in err
    with Store(store) as opened:
        assert opened.facts().state == "built"
    assert "has changed since version 1" in run("status", *study)[1]
    (folder / "study.toml").write_text("# a comment\n" + study_text())
    run("open", *study)


def test_preview_gives_the_link_that_counts_nothing(folder, store):
    out, _ = run("preview", folder / "study.toml", "--store", folder / "studies")
    with Store(store) as opened:
        key = opened.facts().preview_key
    assert out == f"http://127.0.0.1:7860/study?study=tiny&preview={key}\n"


def test_results_for_people_and_programs(filled):
    with Store(filled) as opened:
        expected = analyse(load_data(opened))
    out, err = run("results", filled, "--json")
    assert json.loads(out) == json.loads(json.dumps(results_json(expected))) and not err
    out, _ = run("results", filled)
    assert all(sentence in out for sentence in answer(expected))


def test_versions_are_chosen(filled):
    build(filled.parent, per_participant=4).close()
    newest = json.loads(run("results", filled, "--json")[0])
    assert newest["version"] == 2 and newest["participants"] == 0
    first = json.loads(run("results", filled, "--json", "--version", "1")[0])
    both = json.loads(run("results", filled, "--json", "--version", "1,2")[0])
    assert first["participants"] == both["participants"] > 0
    assert first["version"] == 1 and both["version"] == [1, 2]


def test_report_writes_one_file(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out, _ = run("report", filled)
    html = (tmp_path / "tiny-report.html").read_text("utf-8")
    assert "counted of 12 who started" in out and html.count("<h1>") == 1
    (tmp_path / "mine.html").write_text("old")
    run("report", filled, "-o", "mine.html", "--version", "1")
    assert (tmp_path / "mine.html").read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_export_writes_rows_and_a_dictionary(filled, tmp_path):
    out, _ = run("export", filled, "-o", tmp_path / "choices.csv", "--everything")
    with (tmp_path / "choices.csv").open(newline="", encoding="utf-8-sig") as file:
        found = list(csv.DictReader(file))
    with Store(filled) as opened:
        assert len(found) == len(rows(opened, "choices"))
    assert f"{len(found)} choices" in out and (tmp_path / "choices.columns.csv").is_file()
    run("export", filled, "-o", tmp_path / "blind.json", "--blind")
    blind = (tmp_path / "blind.json").read_text()
    assert "plain" not in blind and "simulated-" not in blind


def test_power_prints_a_plan():
    assert "To show with 80% power" in run("power", "--margin", "0.1")[0]
    assert "To find with 90% power" in run("power", "--effect", "0.6", "--power", "0.9")[0]
    assert "4 participants cannot" in run("power", "--participants", "4")[0]


def test_simulate_fills_a_copy_and_leaves_the_store(folder, store):
    take_part(store)
    before = store.read_bytes()
    out, _ = run("simulate", store, "--participants", "5", "--skill", "hills/plain=0.9")
    copy = folder / "studies" / "simulated" / "tiny.sqlite"
    assert str(copy) in out and "5 participants" in out
    with Store(copy) as opened:
        data = load_data(opened)
    assert len(data.participants) == 5 and data.simulated
    with Store(store) as opened:
        assert len(rows(opened, "participants")) == 1
    assert store.read_bytes()[:100] == before[:100]
    pictures = sorted(p.name for p in store.with_suffix("").iterdir())
    assert sorted(p.name for p in copy.with_suffix("").iterdir()) == pictures
    run("results", copy)
    out, _ = run("simulate", store, "--participants", "2")
    (kept,) = (line.split()[-1] for line in out.splitlines() if line.startswith("What was there"))
    with Store(kept) as opened:
        assert len(rows(opened, "participants")) == 5


def test_simulated_people_have_the_skill_that_was_asked(folder, store):
    def simulated(name, *skills):
        alike = ("--sd-people", "0", "--sd-photos", "0")
        run("simulate", store, "-o", folder / name, *alike, *skills)
        found = json.loads(run("results", folder / name / "tiny.sqlite", "--json")[0])
        cells = {cell["model"]: cell for cell in found["cells"] if cell["dataset"] is None}
        return cells["plain"]["turing_fraction"], cells["bright"]["turing_fraction"]

    plain, bright = simulated("a", "--skill", "plain=0.97", "--skill", "bright=0.55")
    assert plain > 0.85 and bright < 0.75
    plain, bright = simulated("b", "--skill", "plain=0.55", "--fraction", "0.97")
    assert plain < 0.75 and bright > 0.85


def test_backup_and_restore(folder, store):
    take_part(store)
    out, _ = run("backup", store, folder / "stick")
    assert "checked, 1 participants, 0 choices" in out
    take_part(store)
    out, _ = run("restore", folder / "stick" / "tiny.sqlite", store)
    assert "1 participants" in out and "is kept as" in out
    with Store(store) as opened:
        assert len(rows(opened, "participants")) == 1


def test_merge_joins_the_parts_of_a_study(folder, store):
    take_part(store)
    run("backup", store, folder / "b")
    other = folder / "b" / "tiny.sqlite"
    take_part(other)
    out, _ = run("merge", store, other, "-o", folder / "all" / "tiny.sqlite")
    assert "with 1 participants" in out
    with Store(folder / "all" / "tiny.sqlite") as opened:
        assert len(rows(opened, "participants")) == 2


def test_release_and_forget(store):
    take_part(store, PROLIFIC_PID="abc")
    assert "Participant 1 may come in again" in run("release", store, "abc")[0]
    assert "Participant 1 is forgotten: 8 trials" in run("forget", store, "1")[0]
    with Store(store) as opened:
        assert rows(opened, "participants") == []
    assert "was forgotten before" in run("forget", store, "1", code=1)[1]
    take_part(store)
    with Store(store) as opened:
        (row,) = rows(opened, "participants")
    receipt = receipt_of(row["uid"])
    assert f"Participant {row['id']} is forgotten" in run("forget", store, "--receipt", receipt)[0]


@pytest.mark.slow
def test_a_study_of_one_photo_is_checked_and_simulated_without_a_traceback(tmp_path):
    """Neither has much to say of it; each says that in one line."""
    (tmp_path / "photos").mkdir()
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "photos" / "a.png")
    (tmp_path / "study.toml").write_text(ONE_PHOTO)
    result = CliRunner().invoke(
        app, ["build", str(tmp_path / "study.toml"), "--store", str(tmp_path), "--check"]
    )
    assert result.exit_code in (0, 1) and isinstance(result.exception, SystemExit | None)
    simulate = ["simulate", str(tmp_path / "one.sqlite"), "--fraction", "1e-30"]
    result = CliRunner().invoke(app, [*simulate, "--participants", "3"])
    assert result.exit_code in (0, 1, 2) and isinstance(result.exception, SystemExit | None)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", 'study.language: the page has texts for de, en, es, fr, found "pt"'),
        ('[texts.buttons]\nagreed = "Ja"\n', "texts.buttons.agreed: unknown key"),
    ],
)
def test_a_language_without_texts_is_refused(tmp_path, more, sentence):
    file = tmp_path / "study.toml"
    file.write_text(study_text(language="pt").replace("[[questions]]", f"{more}[[questions]]", 1))
    _, error = run("build", file, "--store", tmp_path / "studies", code=2)
    assert sentence in " ".join(error.split())
    assert not (tmp_path / "studies").exists()


@pytest.mark.slow
def test_building_over_an_open_study_says_who_sees_what(photos):
    study = (photos / "study.toml", "--store", photos / "studies")
    assert "is open" not in run("build", *study)[0]
    run("open", *study)
    assert "is open" not in run("build", *study)[0]
    text = (
        study[0]
        .read_text()
        .replace("[[questions]]", '[texts.buttons]\nagree = "Ja"\n[[questions]]', 1)
    )
    study[0].write_text(text.replace('language = "en"', 'language = "de"'))
    out, _ = run("build", *study)
    assert "who comes from now on sees version 2, who has started stays at version 1" in out
