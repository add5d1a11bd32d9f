"""What every command has: help with an example, and errors of one line."""

import pytest

from tests.turing.support.commands import run
from tests.turing.support.studies import study_text

DOORS = (
    *("build", "preview", "open", "close", "status", "results", "report", "export", "power"),
    *("simulate", "backup", "restore", "merge", "release", "forget", "publish"),
)


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
        ("simulate", "{store}", "--deficient", "1.5"),
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
        (("preview", "no.sqlite"), "expected a study file (TOML), found none, and this is a store"),
        (("open", "{folder}/study.toml", "--store", "{folder}"), "is not built there"),
        (("close", "{folder}/study.toml", "--store", "{folder}/studies"), "was never opened"),
        (("results", "{store}", "--version", "7"), "expected a version of 1, found 7"),
        (("report", "{store}", "-o", "{folder}/no/report.html"), "there is no folder"),
        (("report", "{store}", "-o", "{folder}/is.html"), "expected a file's name, found a folder"),
        (
            ("results", "{folder}/study.toml"),
            "this is a study file (TOML); expected a study's store",
        ),
        (("status", "{store}"), "tiny.sqlite: this is a store; expected a study file (TOML)"),
        (("build", "{store}"), "tiny.sqlite: this is a store; expected a study file (TOML)"),
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
        (("merge", "{store}", "{folder}/other.sqlite", "-o", "{store}"), "is there already"),
    ],
)
def test_what_fails_is_one_line_and_ends_with_1(folder, store, arguments, message):
    (folder / "is.html").mkdir()
    out, err = run(*(a.format(folder=folder, store=store) for a in arguments), code=1)
    assert not out and message in err and len(err.splitlines()) == 1
