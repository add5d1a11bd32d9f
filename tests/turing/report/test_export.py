"""Rows of choices, and the files that hold them."""

import csv
import itertools
import json
import sys

import pandas
import pytest

from tests.turing.support.answering import participant, two_people
from tests.turing.support.studies import built, rows
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.errors import TuringError
from turing.report.exports.choices import COLUMNS, table
from turing.report.exports.export import export
from turing.report.of_store import store_results
from turing.store.records import choice_rows
from turing.store.sessions import Sessions
from turing.store.upkeep.forgetting import forget

TEXTS = {
    '=HYPERLINK("http://evil")': '\'=HYPERLINK("http://evil")',
    "+1": "'+1",
    "-1 of them": "'-1 of them",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\r=1",
    "  =1": "'  =1",
    "＝1": "'＝1",
    'it\'s, "quoted"\nand <b>ü</b>': 'it\'s, "quoted"\nand <b>ü</b>',
    "2 = 1 + 1": "2 = 1 + 1",
    "x;=1+1;y": "x;'=1+1;y",
    "x;  @A1": "x;'  @A1",
    "x,-1": "x,'-1",
    "x\t+1": "x\t'+1",
    "x\n=1\r\n＝1": "x\n'=1\r\n'＝1",
    'x;"=1"': 'x;\'"=1"',
    ";;=1": ";;'=1",
    "\x01=1;\u200b=1": "'\x01=1;'\u200b=1",
    "a-b;c+d, e=f": "a-b;c+d, e=f",
}


store = pytest.fixture(two_people)


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv(store, tmp_path):
    written = export(store, tmp_path / "out" / "choices.csv")
    found = read_csv(written.path)
    assert written.rows == len(found) == 11
    assert list(found[0]) == [
        *COLUMNS,
        *("query.PROLIFIC_PID", "query.SESSION_ID", "answer.colour_vision", "answer.hints"),
    ]
    assert [row["query.PROLIFIC_PID"] for row in found] == ["p1"] * 8 + ["p2"] * 3
    assert found[0]["answer.hints"] == "the sky" and found[-1]["answer.hints"] == ""
    assert {row["correct"] for row in found} <= {"true", "false"}
    assert found[0]["study"] == "tiny"
    frame = pandas.read_csv(written.path)
    assert frame["rt_ms"].tolist() == [row["rt_ms"] for row in choice_rows(store)]
    assert frame["correct"].dtype == bool


def test_every_column_is_explained(store, tmp_path):
    written = export(store, tmp_path / "choices.csv")
    explained = read_csv(written.dictionary)
    assert written.dictionary.name == "choices.columns.csv"
    for name, path in (
        ("choices", written.path),
        ("participants", written.participants),
        ("events", written.events),
    ):
        columns = [row["column"] for row in explained if row["table"] == name]
        assert columns == list(read_csv(path)[0])
    assert all(row["type"] and row["meaning"] for row in explained)
    asked = {row["meaning"] for row in explained if row["column"] == "answer.colour_vision"}
    wording = '"Do you have a colour vision deficiency?" (no | yes), before the trials'
    assert asked == {f"the participant's answer to {wording}"}


def test_text_that_a_spreadsheet_would_run_is_text(store, tmp_path):
    for text in TEXTS:
        participant(store, hints=text, SESSION_ID=text)
    found = read_csv(export(store, tmp_path / "choices.csv").path)
    by_participant = {row["participant"]: row for row in found}
    for number, cell in enumerate(TEXTS.values(), 3):
        assert by_participant[str(number)]["answer.hints"] == cell
        assert by_participant[str(number)]["query.SESSION_ID"] == cell
    kept = json.loads(export(store, tmp_path / "choices.json").path.read_text("utf-8"))
    assert {row["answer.hints"] for row in kept} >= set(TEXTS)  # as given


def test_excel_takes_csv_for_utf_8(store, tmp_path):
    written = export(store, tmp_path / "choices.csv")
    assert all(file.read_bytes().startswith(b"\xef\xbb\xbf") for file in written[:2])


def test_made_up_people_are_marked(tmp_path):
    with built(tmp_path / "studies") as store:
        simulate(store, Skills({}), 2, seed=1)
        written = export(store, tmp_path / "choices.csv")
        assert {row["simulated"] for row in read_csv(written.path)} == {"true"}
        meanings = {row["column"]: row["meaning"] for row in read_csv(written.dictionary)}
        assert "made up" in meanings["simulated"]
        assert results_json(store_results(store))["simulated"] is True


def test_people_are_not(store, tmp_path):
    found = read_csv(export(store, tmp_path / "choices.csv").path)
    assert {row["simulated"] for row in found} == {"false"}
    assert results_json(store_results(store))["simulated"] is False


def test_json(store, tmp_path):
    written = export(store, tmp_path / "choices.json")
    assert json.loads(written.path.read_text("utf-8")) == table(store)


def test_parquet(store, tmp_path):
    written = export(store, tmp_path / "choices.parquet")
    frame = pandas.read_parquet(written.path)
    kept = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert kept == table(store)


def test_parquet_without_its_package_says_so(store, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TuringError, match=r"pip install 'colorize-turing\[parquet\]'") as refused:
        export(store, tmp_path / "choices.parquet")
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["studies"]


def test_other_endings_are_refused(store, tmp_path):
    with pytest.raises(TuringError, match=r"ends in one of \.csv, \.json, \.parquet"):
        export(store, tmp_path / "choices.xlsx")


def test_nobody_yet(tmp_path):
    with built(tmp_path / "studies") as store:
        written = export(store, tmp_path / "choices.csv")
        assert written.rows == 0
        assert written.path.read_text("utf-8-sig") == ",".join(COLUMNS) + "\n"
        assert json.loads(export(store, tmp_path / "choices.json").path.read_text()) == []


def test_a_blind_export_gives_no_key_away(store, tmp_path):
    participant(store, seed=5, hints="plain bright", PROLIFIC_PID="p3")
    open_, blind = tmp_path / "open.json", tmp_path / "blind.json"
    export(store, open_)
    export(store, blind, blind=True)
    files = [tmp_path / f"blind{name}.json" for name in ("", ".participants", ".events")]
    text = "".join(file.read_text("utf-8") for file in files).replace("plain bright", "")
    for secret in ("plain", "bright", ".jpg", "p1", "p2", "p3", "PROLIFIC"):
        assert secret not in text
    for table_ in ("photos", "stimuli"):  # the pre-registration says what a stimulus shows
        assert all(row["sha256"] not in text for row in rows(store, table_))
    seen, hidden = json.loads(open_.read_text("utf-8")), json.loads(blind.read_text("utf-8"))
    for key in ("model", "left", "photo"):
        names = {(a[key], b[key]) for a, b in zip(seen, hidden, strict=True)}
        assert len({a for a, _ in names}) == len({b for _, b in names}) == len(names)
    assert {row["model"] for row in hidden} == {None, "model-1", "model-2"}
    same = ("choice", "correct", "rt_ms", "catch", "dataset", "participant")
    assert [[row[k] for k in same] for row in seen] == [[row[k] for k in same] for row in hidden]


def test_the_forgotten_are_in_no_export(store, tmp_path):
    forget(store, 1)
    text = export(store, tmp_path / "choices.csv").path.read_text("utf-8")
    assert "p1" not in text and "the sky" not in text and text.count("\n") == 4


def test_everybody_who_started_is_listed_with_why_they_are_not_counted(store, tmp_path):
    """Who answered nothing, too; who left without IDs and answers, previews not at all."""
    sessions = Sessions(store)
    sessions.start(None, {"PROLIFIC_PID": "p3"}, {"colour_vision": "no"}, None)
    gone = participant(store, hints="a secret", PROLIFIC_PID="p4")
    sessions.leave(gone)
    key = store.facts().preview_key
    sessions.start(None, {"PROLIFIC_PID": "p5"}, {"colour_vision": "no"}, key)
    written = export(store, tmp_path / "choices.csv")
    found = read_csv(written.participants)
    assert [row["participant"] for row in found] == ["1", "2", "3", "4"]
    assert [row["answered"] for row in found][2:] == ["0", found[3]["trials"]]
    assert found[2]["query.PROLIFIC_PID"] == "p3" and found[2]["answer.colour_vision"] == "no"
    assert found[3]["excluded_by"].startswith("withdrawn") and found[3]["withdrawn"]
    assert "a secret" not in written.participants.read_text("utf-8-sig")
    whole = read_csv(export(store, tmp_path / "all.csv", everything=True).participants)
    assert len(whole) == 5 and whole[3]["query.PROLIFIC_PID"] == "p4"


def test_a_page_that_was_loaded_anew_shows_in_the_trial_and_the_events(tmp_path):
    with built(tmp_path / "studies") as store:
        store.open_study()
        clock = itertools.count(1_751_630_400_000, 1000)
        sessions = Sessions(store, clock=lambda: next(clock))
        token, state = sessions.start(None, {}, {"colour_vision": "no"}, None)
        for again in (0, 2, 1):
            for _ in range(again):
                sessions.note(token, "resumed")
            state = sessions.answer(token, state.trial.trial, 0, 900.0, focus_lost=again).state
        sessions.note(token, "resumed")
        written = export(store, tmp_path / "choices.csv")
    choices, (person,) = read_csv(written.path), read_csv(written.participants)
    assert [row["shown_again"] for row in choices] == ["0", "2", "1"]
    assert (person["reloads"], person["focus_lost"]) == ("4", "3")
    happened = [row for row in read_csv(written.events) if row["participant"] == "1"]
    assert [row["what"] for row in happened] == [
        *("resumed", "resumed", "focus lost"),
        *("resumed", "focus lost", "resumed"),
    ]
    assert happened[2]["detail"] == "trial 1, 2" and happened[0]["version"] == "1"


def test_stimuli_are_named_as_the_preregistration_does(store, tmp_path):
    found = read_csv(export(store, tmp_path / "choices.csv").path)
    made = {row["sha256"]: row["left"] or "original" for row in rows(store, "stimuli")}
    assert all(made[row["stimulus_sha256"]] == row["left"] for row in found)


def test_codes_of_a_blind_export_stay_as_more_people_come(store, tmp_path):
    def codes():
        seen, hidden = (
            json.loads(export(store, tmp_path / "c.json", blind=blind).path.read_text("utf-8"))
            for blind in (False, True)
        )
        pairs = zip(seen, hidden, strict=True)
        return {(a[key], b[key]) for a, b in pairs for key in ("model", "photo")}

    before = codes()
    participant(store, seed=9, PROLIFIC_PID="p9")
    assert before <= codes()
