"""What says of a published study what it is: JSON-LD with the words of schema.org, and a README."""

from collections.abc import Mapping
from typing import Any

from turing.analysis.analysis import Results
from turing.analysis.looks import Levels
from turing.publish.tables import Column, Columns, Tables
from turing.study.counts import count

SCHEMA = "Psych-DS 1.5.1"
_CONTEXT = "https://schema.org/"
_WHAT = {
    "trials": "A row for each trial that was answered.",
    "participants": "A row for everybody who started, but for those who left.",
}


def description(results: Results, made: Tables) -> dict[str, Any]:
    """`dataset_description.json`: of the whole, with the columns of both tables."""
    study = results.data.study
    every = {**made.trial_columns, **made.participant_columns}
    both = set(made.trial_columns) & set(made.participant_columns)
    columns = {key: _of_both(made, key) if key in both else column for key, column in every.items()}
    return {
        "@context": _CONTEXT,
        "@type": "Dataset",
        "name": _name(results),
        "description": f"{_warning(results)}Answers of "
        f"{count(len(made.participants), 'participant')} in "
        f"{count(len(made.trials), 'trial')} of a study of automatic colorization "
        f"({study.protocol}): "
        f"{_line(study.study.title)}",
        "schemaVersion": SCHEMA,
        "keywords": ["colorization", "Turing test", study.protocol, *study.models],
        "inLanguage": study.study.language,
        "variableMeasured": _variables(columns),
    }


def sidecar(table: str, results: Results, columns: Columns) -> dict[str, Any]:
    """What holds of one table, in the place of the whole's."""
    return {
        "@context": _CONTEXT,
        "@type": "Dataset",
        "name": f"{_name(results)}: {table}",
        "description": f"{_warning(results)}{_WHAT[table]}",
        "variableMeasured": _variables(columns),
    }


def settings(results: Results) -> dict[str, Any]:
    """What `analysis/figures.py` has to know of the study."""
    study, levels = results.data.study, levels_of(results)
    return {
        "protocol": study.protocol,
        "datasets": [dataset.name for dataset in study.stimuli.datasets],
        "models": list(study.models),
        "exposure_ms": study.trials.exposure_ms,
        "ties": study.trials.ties,
        "looks": list(study.analysis.looks),
        "delta": study.analysis.delta,
        "confidence": levels.wide,
        "confidence_within_delta": levels.narrow,
        "simulated": results.data.simulated,
    }


def levels_of(results: Results) -> Levels:
    """At which intervals were made: of a study with looks those of the last one."""
    look = results.look
    return look.levels if look and not look.is_unblinded else Levels()


def readme(results: Results, made: Tables, has_key: bool, names: Mapping[str, str]) -> str:
    """What lies where, and how each thing is checked."""
    same = "\n".join(f"- `{ours}` is `{theirs}`" for ours, theirs in names.items())
    key = _WITH_KEY if has_key else _WITHOUT_KEY
    left = f"{made.withdrawn} who left the study" if made.withdrawn else "Who left the study"
    plates = (
        "; `stimuli/plates/`: the colour screening's, by deficiency, gap and pattern of dots"
        if results.data.study.screening.plates
        else ""
    )
    return _README.format(
        plates=plates,
        name=_name(results),
        warning=_warning(results, "\n"),
        same=same,
        key=key,
        left=left,
    )


def _variables(columns: Columns) -> list[dict[str, Any]]:
    return [_variable(name, column) for name, column in columns.items()]


def _variable(name: str, column: Column) -> dict[str, Any]:
    about: dict[str, Any] = {"@type": "PropertyValue", "name": name, "description": column.meaning}
    if name.endswith("_ms"):
        about["unitText"] = "ms"
    if column.levels:
        about["valueReference"] = [
            {"@type": "DefinedTerm", "name": level, "description": meaning}
            for level, meaning in column.levels.items()
        ]
    return about


def _of_both(made: Tables, key: str) -> Column:
    """A column that both tables have: its meaning in each, where they differ."""
    of_trials, of_people = made.trial_columns[key], made.participant_columns[key]
    if of_trials.meaning == of_people.meaning:
        return of_trials
    meaning = f"of trials: {of_trials.meaning}; of participants: {of_people.meaning}"
    return of_trials._replace(meaning=meaning)


def _name(results: Results) -> str:
    made_up = " (simulated)" if results.data.simulated else ""
    return f"{results.data.study.name}{made_up}"


def _warning(results: Results, end: str = " ") -> str:
    return f"Made-up participants: no person answered.{end}" if results.data.simulated else ""


def _line(text: str) -> str:
    return " ".join(text.split())


_README = """# {name}

{warning}A study of automatic colorization, as a data set by the rules of Psych-DS.

| file | what it is |
|---|---|
| `dataset_description.json` | what the data set is, with every column |
| `data/trials_data.csv` | a row for each trial that was answered; `row_id` is one of its own |
| `data/participants_data.csv` | a row for everybody who started |
| `data/*.json` | the columns of each table, with the wording of questions and the levels |
| `stimuli/` | every picture, as `stimulus_sha256` names it{plates} |
| `study.toml` | the study file |
| `preregistration.json` | what was fixed before the first participant came |
| `key.json` | the key that order and sides of all trials follow from, once the study is closed |
| `methods.md` | design, exclusions and estimator in words |
| `analysis/figures.py` | `python analysis/figures.py` prints the figures (pandas, numpy, scipy) |
| `analysis/model.R` | `Rscript analysis/model.R`: a mixed model of the same choices (lme4) |

Psych-DS wants keywords in the names of data files. The same tables are there under such names:

{same}

Participants have random IDs, times are coarse. {left}: nothing of them is here. Outside IDs and
answers in free text are here only if whoever published this asked for them. No licence is given
here: whoever publishes this names one, for the answers and for the pictures.

## How to check it

The pre-registration carries its own SHA-256: of all but the key `sha256`, as JSON in UTF-8 with
sorted keys and without spaces. `study.file_sha256` there is that of `study.toml`; `stimuli` lists
the SHA-256 of every file in `stimuli/`.

```python
import hashlib, json
from pathlib import Path

said = json.loads(Path("preregistration.json").read_text("utf-8"))
rest = {{key: value for key, value in said.items() if key != "sha256"}}
text = json.dumps(rest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
assert hashlib.sha256(text.encode()).hexdigest() == said["sha256"]
study = Path("study.toml").read_bytes()
assert hashlib.sha256(study).hexdigest() == said["study"]["file_sha256"]
for name, sha256 in said["stimuli"].items():
    assert hashlib.sha256(Path("stimuli", name + ".png").read_bytes()).hexdigest() == sha256
```

{key}"""

_WITH_KEY = """The commitment to the trial key, which nobody could know before:

```python
key = json.loads(Path("key.json").read_text("utf-8"))
found = hashlib.sha256(bytes.fromhex(key["trial_key"])).hexdigest()
assert found == said["trial_key_sha256"]
```

The trials of participant N follow from `design` in the pre-registration and from that key
(HMAC-SHA256), in the order in which participants came; who has the key can tell that order.
"""

_WITHOUT_KEY = """The key that trials follow from is not here: the study is not closed. Its SHA-256
is `trial_key_sha256` in the pre-registration.
"""
