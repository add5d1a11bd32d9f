from colorize.evaluation.report import FIGURES, DecodingRow, HintsRow, Report, figures_of


def test_a_report_as_json_has_its_rows_in_the_order_of_their_fields():
    rows = [HintsRow(model, "all", 0, 3, 22.5, None, None) for model in ("a", "b")]
    report = Report({"seed": 0}, rows)
    assert report.of("b") == rows[1:]
    found = report.as_json()
    assert found["settings"] == {"seed": 0}
    keys = ["model", "dataset", "hints", "photos", "psnr", "followed", "ciede2000"]
    keys += ["thing_follows", "outside_moves"]
    assert [list(row) for row in found["rows"]] == [keys] * 2
    assert found["rows"][0]["followed"] is None


def test_the_contracts_figures_are_all_there():
    assert list(FIGURES) == [
        *("mse", "psnr", "mssim", "lpips", "colorfulness", "colorfulness_truth", "ciede2000")
    ]
    assert figures_of(DecodingRow) == ("mse", "ciede2000", "colorfulness", "colorfulness_truth")
