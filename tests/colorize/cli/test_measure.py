"""`python -m colorize judge`, `decodings`, `robustness`, `bleeding` and `score-hints`."""

import json

import pytest
from PIL import Image

from colorize.models.record import read_record
from tests.support.commands import MEASURES, colorize


@pytest.fixture
def any_eye(monkeypatch):
    """The judge without pretrained weights."""
    from colorize.evaluation import judge
    from colorize.models.networks.backbone import create

    network = create("test_resnet", features_only=True, out_indices=(-1,))
    monkeypatch.setattr(judge, "open_eye", lambda file: judge.Eye(network))


def test_where_no_photo_counts_the_table_is_empty(checkpoints, tmp_path):
    folder = tmp_path / "data" / "grey" / "val"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 64), (120, 120, 120)).save(folder / "a.png")
    (tmp_path / "data" / "grey" / "test").mkdir()
    (tmp_path / "data" / "grey" / "test" / "a.png").write_bytes(b"no picture")
    result = colorize("bleeding", "--data", tmp_path / "data", "--model", "direct")
    assert (result.exit_code, "Traceback" in result.stderr) == (0, False)


def test_judge_writes_json_and_its_table(checkpoints, data, tmp_path, make_pixels, any_eye):
    for i in range(3, 8):
        Image.fromarray(make_pixels(i, 40, 50)).save(data / "fruits" / "test" / f"{i}.png")
    document, file = tmp_path / "README.md", tmp_path / "judge.json"
    document.write_text("<!-- judge -->\n<!-- /judge -->\nafter\n")
    result = colorize("judge", "--data", data, "--json", file, "--document", document)
    rows = json.loads(file.read_text())["rows"]
    assert [row["model"] for row in rows if row["dataset"] == "all"] == ["direct", "bins", "grey"]
    assert "bins, T = 0.38" in result.stdout
    assert "| bins, T = 0.38 |" in document.read_text()
    assert document.read_text().endswith("after\n")


def test_decodings_are_compared_and_the_best_one_can_be_kept(own_checkpoints, data, tmp_path):
    file = tmp_path / "decodings.json"
    options = ("--dataset", "fruits", "--temperature", 0.5, "--gain", 1.2, "--json", file)
    before = read_record(own_checkpoints / "bins.json")
    result = colorize("decodings", "--data", data, *options)
    assert "bins: best is" in result.stdout
    assert read_record(own_checkpoints / "bins.json") == before
    colorize("decodings", "--data", data, *options, "--save")
    record = read_record(own_checkpoints / "bins.json")
    assert record.weights == before.weights
    assert record.how in [(t, g, 1) for t in (0.5, 1) for g in (1, 1.2)]
    rows = json.loads(file.read_text())["rows"]
    assert {row["decoding"] for row in rows if row["model"] == "bins"} >= {"T = 0.5, gain 1.2"}


@pytest.mark.parametrize(
    ("command", "figure"), [("robustness", "between sizes"), ("bleeding", "elsewhere")]
)
def test_measures_write_json_and_a_table(checkpoints, data, tmp_path, command, figure):
    file = tmp_path / "figures.json"
    options = ("--dataset", "fruits", "--model", "direct", "--json", file)
    assert figure in colorize(command, "--data", data, *options).stdout
    assert {"settings", "rows"} == json.loads(file.read_text()).keys()


@pytest.mark.parametrize("command", MEASURES)
def test_wrong_use_of_measures(checkpoints, data, tmp_path, command):
    (tmp_path / "plain.md").write_text("no place for tables")
    wrong = [
        (("--model", "nothing"), "No checkpoint 'nothing'"),
        (("--dataset", "nothing"), "no dataset 'nothing'"),
        (("--json", tmp_path / "no" / "scores.json"), "make it first"),
        (("--device", "nonsense"), "No device"),
    ]
    if command == "judge":
        wrong.pop()  # the random checkpoints have no backbone for it, which is said first
        wrong.append(((), "--backbone-file"))
        wrong.append((("--document", tmp_path / "plain.md"), "found none"))
        wrong.append((("--backbone-file", tmp_path / "no.safetensors"), "no.safetensors"))
    if command == "decodings":
        wrong.append((("--save", "--split", "test"), "chosen on val"))
        wrong.append((("--temperature", "-1"), "--temperature"))
    for options, sentence in wrong:
        assert sentence in colorize(command, "--data", data, *options, code=2).stderr


def test_score_hints(with_hints, data, tmp_path):
    out = tmp_path / "hints.json"
    result = colorize(
        "score-hints", "--data", data, "--model", "hinted", "--hints", "3,0", "--photos", "2",
        "--size", "64", "--json", out,
    )  # fmt: skip
    content = json.loads(out.read_text())
    assert [row["hints"] for row in content["rows"] if row["dataset"] == "all"] == [0, 3]
    assert "within CIEDE2000 10" in result.stdout
    for options, sentence in [
        (["--model", "direct"], "direct cannot follow colour hints"),
        (["--model", "hinted", "--hints", "1,x"], "hints: expected numbers"),
        (["--model", "hinted", "--hints", "201"], "hints: expected numbers"),
        (["--model", "hinted", "--size", "1"], "size: expected"),
    ]:
        assert sentence in colorize("score-hints", "--data", data, *options, code=2).stderr
