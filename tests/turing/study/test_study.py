"""The study file: the documented example, every fault it may have, its frozen form."""

import re
import tomllib
from pathlib import Path

import pytest

from turing.errors import TuringError
from turing.study.faults import _all_keys
from turing.study.study import Study, demo_study, load_study, parse_study
from turing.study.trials import participant_trials, select_photos

EXAMPLE = Path(__file__).parents[3] / "docs" / "study.toml"
TEXT = EXAMPLE.read_text("utf-8")

SHORTEST = """
[study]
name = "x"
title = "X"
protocol = "single"
seed = 0
[stimuli]
photos_per_dataset = 0
display_size = 256
models = ["m"]
datasets = [{ name = "d", folder = "photos" }]
[trials]
per_participant = 4
practice = 0
catch = 0
exposure_ms = 0
[texts]
consent = "Yes?"
instructions = "Look."
"""


def changed(*replacements, text=TEXT):
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def faults(text):
    with pytest.raises(TuringError) as caught:
        parse_study(text, "my.toml")
    return str(caught.value).splitlines()


def test_documented_example():
    study = load_study(EXAMPLE)
    assert (study.name, study.protocol, study.study.seed) == ("demo-2026", "pick-original", 7)
    assert study.models == ("baseline", "fusion")
    assert [dataset.name for dataset in study.stimuli.datasets] == ["landscapes", "fruits"]
    assert study.path(study.stimuli.datasets[1].folder) == EXAMPLE.parent / "photos" / "fruits"
    assert (study.trials.per_participant, study.trials.practice, study.trials.catch) == (20, 2, 2)
    assert study.participants.query == ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
    assert study.participants.planned == 40
    assert study.texts.consent.startswith("You will see pairs of photos.")
    assert [question.required for question in study.questions] == [True, False]
    assert study.analysis.exclude_answers == {"colour_vision": ("yes",)}
    assert study.source == TEXT


def test_every_key_is_documented():
    """In the example as a key or a section, the block of external models commented out."""
    named = set(re.findall(r"^(?:# )?\[*(?:\w+\.)*(\w+)(?:\]| +=)", TEXT, flags=re.MULTILINE))
    keys = {name for _, name in _all_keys(Study)} | set(Study.model_fields)
    assert keys <= named, keys - named


def test_what_may_be_left_out_has_defaults():
    study = parse_study(SHORTEST)
    assert study.study.language == "en" and study.stimuli.min_chroma == 5
    assert study.participants.query == () and study.participants.planned is None
    assert study.participants.show_score and study.participants.return_url == ""
    assert study.trials.break_every == 0 and study.texts.thanks == "Thank you!"
    assert study.questions == () and study.stimuli.external == ()
    documented = load_study(EXAMPLE).analysis
    assert study.analysis == documented.model_copy(update={"exclude_answers": {}})


@pytest.mark.parametrize("line", [line for line in SHORTEST.splitlines() if " = " in line])
def test_what_may_not_be_left_out_is_missed(line):
    key = line.split(" = ")[0]
    lines = faults(SHORTEST.replace(line + "\n", ""))
    assert len(lines) == 1
    assert f".{key}: expected " in lines[0]
    assert lines[0].endswith("found 0" if key == "models" else "found nothing")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"fusion"]', '"original"]', ['stimuli.models: expected another name than "original",'
         " which the photo has"]),
        ("seed = 7 ", "sed = 7 ", ["study.seed: expected a whole number from 0 to 2^63 - 1, found"
         " nothing", "study.sed: unknown key, did you mean 'seed'?"]),
        ("catch = 2 ", "catch = 2\ndelta = 0.2 #", ["trials.delta: unknown key, did you mean"
         " 'analysis.delta'?"]),
        ("catch = 2 ", "catch = 2\nzzz = 1 #", ["trials.zzz: unknown key, expected one of"
         " per_participant, practice, catch, exposure_ms, fixation_ms, gap_ms, mask_ms,"
         " break_every, ties, confidence, marks"]),
        ("[texts] ", "[text] ", ["texts: expected a section [texts], found nothing",
         "text: unknown key, did you mean 'texts'?"]),
        ('"demo-2026"', '"demo 2026"', ["study.name: expected letters, digits and '-' (64 at most;"
         ' not \'-\' first), found "demo 2026"']),
        ('"demo-2026"', '"../x"', ["study.name: expected letters, digits and '-' (64 at most;"
         ' not \'-\' first), found "../x"']),
        ('"pick-original" ', '"pick_original" ', ["study.protocol: expected one of 'pick-original',"
         " 'pick-fake-sequential', 'single', 'preference', found \"pick_original\""]),
        ("catch = 2 ", 'catch = "2" ', ["trials.catch: expected a whole number from 0 to 1000,"
         ' found "2"']),
        ("catch = 2 ", "catch = true ", ["trials.catch: expected a whole number from 0 to 1000,"
         " found true"]),
        ("catch = 2 ", "catch = 2.0 ", ["trials.catch: expected a whole number from 0 to 1000,"
         " found 2.0"]),
        ("seed = 7 ", "seed = 9223372036854775808 ", ["study.seed: expected a whole number from 0"
         " to 2^63 - 1, found 9223372036854775808"]),
        ("delta = 0.10", "delta = 0.5", ["analysis.delta: expected a number above 0 and below 0.5,"
         " found 0.5"]),
        ("delta = 0.10", "delta = nan", ["analysis.delta: expected a number above 0 and below 0.5,"
         " found NaN"]),
        ('"baseline", "fusion"', '"baseline", "*wild"', ["stimuli.models (item 2): expected a list"
         " of checkpoints, each a name of letters, digits and . _ + - (64 at most),"
         ' found "*wild"']),
        ('folder = "photos/fruits"', "", ["stimuli.datasets.folder (block 2): expected a folder of"
         " colour photos, relative to the study file, found nothing"]),
        ('"Which photo is real?"', r'"Which\u0000"', ["study.title: expected a line of text, found"
         r' "Which\u0000"']),
        ('return_url = ""', 'return_url = "javascript:alert(1)"', ["participants.return_url:"
         " expected an address that starts with http:// or https://, or nothing, found"
         ' "javascript:alert(1)"']),
        ("# retention = 2027-12-31 ", 'retention = "soon" ', ["participants.retention: expected a"
         ' date like 2027-06-30, found "soon"']),
        ('["yes"] }', '"yes" }', ["analysis.exclude_answers.colour_vision: expected lists of"
         ' choices by question, { id = ["choice"] }, found "yes"']),
    ],
)  # fmt: skip
def test_faults_name_file_key_expected_and_found(old, new, expected):
    assert faults(changed((old, new))) == [f"my.toml: {line}" for line in expected]


@pytest.mark.parametrize(
    ("replacements", "fault"),
    [
        ([('"pick-original" ', '"pick-fake-sequential" ')],
         "trials.exposure_ms: expected more than 0 for pick-fake-sequential (1000 in Zhang et al."
         " 2016), found 0"),
        ([('"pick-original" ', '"preference" '), ('"baseline", "fusion"', '"baseline"')],
         "stimuli.models: expected 2 or more for preference, with external ones, found 1"),
        ([('"baseline", "fusion"', '"fusion", "fusion"')],
         'stimuli.models: expected every one once, found "fusion" 2 times'),
        ([('name = "fruits"', 'name = "landscapes"')],
         'stimuli.datasets.name: expected every one once, found "landscapes" 2 times'),
        ([("photos_per_dataset = 20 ", "photos_per_dataset = 9 ")],
         "trials.per_participant: expected 18 at most, one trial a photo"
         " (stimuli.photos_per_dataset x datasets), found 20"),
        ([('identify_by = "PROLIFIC_PID"', 'identify_by = "PID"')],
         "participants.identify_by: expected one of participants.query (PROLIFIC_PID, STUDY_ID,"
         ' SESSION_ID), found "PID"'),
        ([('"STUDY_ID", ', '"study", ')],
         'participants.query: expected names other than study, preview, code, found "study"'),
        ([('return_url = ""', 'return_url = "https://x.org/?a={PID}"')],
         "participants.return_url: expected only {PROLIFIC_PID} {SESSION_ID} {STUDY_ID} {code} in"
         ' braces, found "https://x.org/?a={PID}"'),
        ([('return_url = ""', 'return_url = "https://x.org/?a={"')],
         "participants.return_url: expected only {PROLIFIC_PID} {SESSION_ID} {STUDY_ID} {code} in"
         ' braces, found "https://x.org/?a={"'),
        ([('return_url = ""', 'return_url = "https://x.org/?a={code}"'), ('"C0L0R"', '""')],
         "participants.completion_code: expected a code for return_url's {code}, found none"),
        ([("You will see", "<script>x</script> You will see")],
         'texts.consent: expected Markdown without HTML, found "<script>"'),
        ([('thanks = "Thank you!"', 'thanks = "<!-- -->"')],
         'texts.thanks: expected Markdown without HTML, found "<!-- -->"'),
        ([('id = "colour_vision"', 'id = "hints"'), ('{ colour_vision = ["yes"] }', "{}")],
         'questions.id: expected every one once, found "hints" 2 times'),
        ([('["no", "yes", "not sure", "rather not say"]', '["yes"]')],
         "questions.choices (block 1): expected two or more, or none for free text, found 1"),
        ([('["no", "yes", "not sure", "rather not say"]', '["yes", "no", "no"]')],
         'questions.choices (block 1): expected every one once, found "no" 2 times'),
        ([('{ colour_vision = ["yes"] }', '{ colour_vision = ["Yes"] }')],
         'analysis.exclude_answers.colour_vision: expected one of "no", "yes", "not sure",'
         ' "rather not say", found "Yes"'),
        ([("min_correct = 0", "min_correct = 5")],
         "screening.min_correct: expected 0 at most, as many as screening.plates, found 5"),
        ([('require = "any"', 'require = "phone"')],
         'device.require: expected \'any\' or \'desktop\', found "phone"'),
        ([('blocklist = ""', 'blocklist = "ids.txt"'), ('identify_by = "PROLIFIC_PID"', ""),
          ("require_id = true ", "require_id = false ")],
         "participants.blocklist: expected identify_by, which says what the ID is, with it"),
        ([('resume = "token"', 'resume = "id"'), ('identify_by = "PROLIFIC_PID"', ""),
          ("require_id = true ", "require_id = false ")],
         "participants.resume: expected identify_by, which says what the ID is, with it"),
        ([("consent_boxes = []", 'consent_boxes = ["I agree", "I agree"]')],
         'participants.consent_boxes: expected every one once, found "I agree" 2 times'),
        ([("[texts] ", 'screen_out = { hints = ["sky"] }\n[texts] ')],
         'participants.screen_out: expected ids of questions with choices and when = "before"'
         ' (colour_vision), found "hints"'),
        ([("[texts] ", 'screen_out = { colour_vision = ["maybe"] }\n[texts] ')],
         'participants.screen_out.colour_vision: expected one of "no", "yes", "not sure",'
         ' "rather not say", found "maybe"'),
        ([('screened_out_url = ""', 'screened_out_url = "https://x.org/{code}"')],
         "participants.screened_out_url: expected only {PROLIFIC_PID} {SESSION_ID} {STUDY_ID} in"
         ' braces, found "https://x.org/{code}"'),
        ([('query = ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"]', "query = []"),
          ('identify_by = "PROLIFIC_PID"', ""), ("require_id = true ", "require_id = false "),
          ('closed_url = ""', 'closed_url = "https://x.org/{PROLIFIC_PID}"')],
         "participants.closed_url: expected nothing, as participants.query is empty, in braces,"
         ' found "https://x.org/{PROLIFIC_PID}"'),
        ([('{ colour_vision = ["yes"] }', '{ hints = ["yes"] }')],
         "analysis.exclude_answers: expected ids of questions with choices (colour_vision),"
         ' found "hints"'),
    ],
)  # fmt: skip
def test_keys_that_contradict_each_other(replacements, fault):
    assert faults(changed(*replacements)) == [f"my.toml: {fault}"]


def test_all_faults_are_told_at_once():
    lines = faults(changed(("seed = 7 ", "seed = -1 "), ("catch = 2 ", "catch = -2 ")))
    assert [line.split(": ")[1] for line in lines] == ["study.seed", "trials.catch"]


def test_long_values_are_cut():
    (line,) = faults(changed(('"demo-2026"', f'"{"x" * 5000}"')))
    assert line.endswith("xxx...") and len(line) < 200


def test_markdown_links_and_comparisons_are_no_html():
    parse_study(changed(("You will see", "See <https://x.org>, 2 < 3, a <3 b. You will see")))


def test_external_models_are_enough():
    block = '[[stimuli.external]]\nname = "theirs"\nfolder = "out"\n[trials]\n'
    study = parse_study(changed(("[trials]\n", block), ('models = ["m"]\n', ""), text=SHORTEST))
    assert study.models == ("theirs",)
    lines = faults(changed(("[trials]\n", block.replace("theirs", "m")), text=SHORTEST))
    assert lines == ['my.toml: stimuli.models: expected every one once, found "m" 2 times']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[study\n", "not valid TOML: "),
        (b"x = " + b"[" * 100_000, "not valid TOML: "),
        (b"\xff\xfe", "expected text in UTF-8"),
        (b"#" * (1 << 20) + b"\n", "1 MiB at most"),
        (b"", "study: expected a section [study], found nothing"),
    ],
)
def test_files_that_are_no_study(tmp_path, content, message):
    path = tmp_path / "s.toml"
    path.write_bytes(content)
    with pytest.raises(TuringError) as caught:
        load_study(path)
    assert all(line.startswith(f"{path}: ") for line in str(caught.value).splitlines())
    assert message in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(TuringError, match="found none"):
        load_study(tmp_path / "none.toml")
    with pytest.raises(TuringError, match="found a folder"):
        load_study(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load_study(path).sha256 == load_study(EXAMPLE).sha256


def test_frozen_form():
    study = parse_study(SHORTEST)
    commented = "# a remark\n" + SHORTEST.replace("seed = 0", "seed = 0 # chosen by hand")
    spelled_out = changed(("[texts]", '[texts]\nthanks = "Thank you!"'), text=SHORTEST)
    assert study.sha256 == parse_study(commented).sha256 == parse_study(spelled_out).sha256
    assert parse_study(study.source).canonical == study.canonical
    for old, new in (("seed = 0", "seed = 1"), ("Look.", "Look!"), ('"photos"', '"others"')):
        assert parse_study(changed((old, new), text=SHORTEST)).sha256 != study.sha256
    assert study.sha256 == "3bd4fba031dd707d7390f26fc854f7e877437737f552ee6b771d600e32594484"
    with pytest.raises(ValueError, match="frozen"):
        study.trials.catch = 3


def test_return_link_quotes_what_came_from_outside():
    url = "https://app.example/done?cc={code}&id={PROLIFIC_PID}&s={SESSION_ID}"
    study = parse_study(changed(('return_url = ""', f'return_url = "{url}"')))
    query = {"PROLIFIC_PID": "a&b=c/{code}", "other": "x"}
    assert study.return_link(query) == (
        "https://app.example/done?cc=C0L0R&id=a%26b%3Dc%2F%7Bcode%7D&s="
    )
    assert parse_study(SHORTEST).return_link(query) == ""


def test_folders_are_relative_to_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    study = parse_study(SHORTEST, tmp_path / "a" / "s.toml")
    assert study.path("photos") == tmp_path / "a" / "photos"
    assert study.path(str(tmp_path / "b")) == tmp_path / "b"
    assert study.path("~/photos") == tmp_path / "home" / "photos"


def test_built_in_study(tmp_path):
    study = demo_study(tmp_path, ["one", "other"])
    assert (study.name, study.models) == ("demo", ("one", "other"))
    trials = study.trials
    assert (trials.per_participant, trials.practice, trials.catch) == (8, 1, 1)
    assert study.path(study.stimuli.datasets[0].folder) == tmp_path / "photos"
    assert {question.id for question in study.questions} >= {"colour_vision", "seen_before"}
    assert tomllib.loads(study.source)["stimuli"]["models"] == ["one", "other"]
    assert len(demo_study(tmp_path).models) == 2


def test_design_of_a_study():
    study = load_study(EXAMPLE)
    photos = {d.name: [f"{d.name}{i}" for i in range(30)] for d in study.stimuli.datasets}
    selection = select_photos(
        photos,
        per_dataset=study.stimuli.photos_per_dataset,
        per_participant=study.trials.per_participant,
        practice=study.trials.practice,
        catch=study.trials.catch,
        seed=study.study.seed,
    )
    shown = participant_trials(study.design(selection, ["own"]), bytes(32), 1)
    assert len(shown) == 24
    assert {trial.model for trial in shown if trial.kind == "scored"} == set(study.models)
    assert {trial.model for trial in shown if trial.kind == "practice"} == {"own"}


STORED = {  # file: hash under which stores were built before there were newer keys
    "study.toml": "579ec276e7cf35efdf881581a7254a61717d6ebfe771e76eba22c5078a939d21",
    "demo.toml": "cd28ff5cc993c903871521fe11c7528f34164e9ced6d9f19258ac5969bf77a21",
}


def test_newer_keys_at_their_defaults_make_no_other_study():
    example = TEXT
    assert parse_study(example).sha256 == STORED["study.toml"]
    assert demo_study("x").sha256 == STORED["demo.toml"]
    for line in ("require_id = true", "max_open = 1000", "max_an_hour = 2000"):
        assert line in example
    newer = ("max_", "require_id")
    without = [line for line in example.splitlines() if not line.startswith(newer)]
    assert parse_study("\n".join(without)).sha256 == STORED["study.toml"]
    for change in (
        ("require_id = true", "require_id = false"),
        ("= 1000 ", "= 999 "),
        ('require = "any"', 'require = "desktop"'),
        ("plates = 0", "plates = 6"),
    ):
        assert change[0] in example
        assert parse_study(example.replace(*change)).sha256 != STORED["study.toml"]


def test_a_byte_order_mark_is_kept_with_the_text_and_changes_nothing(tmp_path):
    file = tmp_path / "study.toml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    study = load_study(file)
    assert study.source.encode() == file.read_bytes()
    assert parse_study(study.source).sha256 == study.sha256


def test_an_id_is_required_where_people_are_told_apart_by_it():
    example = TEXT.replace("require_id = true", "")
    assert parse_study(example).participants.needs_id
    nobody = example.replace('identify_by = "PROLIFIC_PID"', "")
    assert not parse_study(nobody).participants.needs_id
    with pytest.raises(TuringError, match=r"participants\.require_id: expected identify_by"):
        parse_study(nobody.replace("[participants]", "[participants]\nrequire_id = true"))
