"""A study in words, as the methods of a paper have it: design, exclusions, estimator, version."""

from collections.abc import Iterator
from typing import Any

from turing.analysis.analysis import Results
from turing.publish.metadata import levels_of
from turing.publish.tables import Tables

_SHOWN = {
    "pick-original": "the original and a colorization of a photo side by side and picked the "
    "original",
    "pick-fake-sequential": "the original and a colorization of a photo one after the other and "
    "said which was the colorized one (Zhang et al. 2016, section 4.1)",
    "single": "one picture at a time, an original or a colorization, and said which of the two it "
    "was",
    "preference": "two colorizations of a photo side by side and picked the one that looked more "
    "real",
}
_ESTIMATOR = {
    "preference": "Models are ranked by Bradley-Terry scores (maximum likelihood, with a term for "
    "the left side); intervals are from the two-way sandwich estimator for crossed participants "
    "and photos, and comparisons of models are adjusted by Holm's method.",
    "single": "The turing fraction of a model is half the share of its colorizations that were "
    "told, half that of the originals, which all models of a dataset share.",
}
_FRACTION = "The turing fraction of a model is the share of its scored trials that were right."
_INTERVAL = (
    "0.5 is chance. Participants and photos are crossed: the variance is that of Cameron, Gelbach "
    "and Miller (2011) for two-way clusters, with Satterthwaite's degrees of freedom (1946), and "
    "the interval Wilson's (1927) at the effective number of choices (Korn and Graubard 1998). "
    "Differences of models take the covariance of shared participants and photos into account; "
    "p-values are adjusted by Holm's method."
)


def paragraphs(results: Results, made: Tables) -> str:
    """Markdown."""
    parts = (_design, _viewing, _participants, _exclusions, _estimator, _program)
    title = f"# Methods of {results.data.study.name}\n\n"
    if results.data.simulated:
        title += "**The participants are made up (`turing simulate`): no person answered.**\n\n"
    told = (" ".join(part(results, made)) for part in parts)
    return title + "\n".join(f"{text}\n" for text in told if text)


def _design(results: Results, made: Tables) -> Iterator[str]:
    study = results.data.study
    trials, stimuli = study.trials, study.stimuli
    yield f"Participants saw {_SHOWN[study.protocol]}."
    yield (
        f"Models: {', '.join(study.models)}. Photos came from "
        f"{', '.join(dataset.name for dataset in stimuli.datasets)}, with the shorter side at "
        f"{stimuli.display_size} pixels; photos with a mean chroma under {stimuli.min_chroma:g} "
        "(CIELAB) were left out."
    )
    feedback = "" if study.protocol == "preference" else " with feedback"
    yield (
        f"Each participant had {trials.per_participant} scored trials, {trials.practice} for "
        f"practice{feedback} and {trials.catch} catch trials (the original against a wildly "
        f"wrong colouring); pictures were shown "
        f"{_exposure(trials.exposure_ms)}."
    )
    yield (
        "A photo was shown at most once to a participant. Order, sides and models were balanced "
        "and drawn from HMAC-SHA256 with a secret key, whose SHA-256 was registered before."
    )
    if around := [
        f"{what} for {ms} ms"
        for what, ms in (
            ("a fixation cross before the pictures", trials.fixation_ms),
            ("a blank before each picture", trials.gap_ms),
            ("a mask of coloured noise after each picture", trials.mask_ms),
        )
        if ms
    ]:
        yield f"There was {' and '.join(around)}."
    if trials.ties:
        yield "To find no difference was an answer."
    if trials.confidence:
        yield "A rating of confidence, from 1 (guessed) to 4 (sure), followed each choice."
    if trials.marks:
        yield "Then participants could mark in the picture what had given it away."
    if study.protocol == "single":
        yield "Original and colorization of a photo have the same lightness and rendering."
    elif study.protocol != "preference":
        yield "Both parts of a pair have the same lightness and went through the same rendering."


def _viewing(results: Results, made: Tables) -> Iterator[str]:
    device, screening = results.data.study.device, results.data.study.screening
    if device.require == "desktop":
        yield "Computers with a mouse or trackpad alone were let in."
    if device.min_width:
        yield f"The window was {device.min_width} CSS pixels wide or wider."
    if device.fullscreen:
        yield "The page asked for the full screen."
    if screening.plates:
        found = (
            f"who found fewer than {screening.min_correct} did not go on."
            if screening.min_correct
            else "what they found is reported and excluded nobody."
        )
        yield (
            f"Before the practice participants looked for the gaps of {screening.plates} rings of "
            "coloured dots of random lightness (after Regan, Reffin and Mollon 1994), on the "
            f"confusion lines of protan, deutan and tritan deficiency in turn; {found}"
        )


def _participants(results: Results, made: Tables) -> Iterator[str]:
    people, planned = results.people, results.data.study.participants.planned
    screened = int(people["screened_out"].sum())
    yield (
        f"{results.started} people started, {int(people['finished'].notna().sum())} came to the "
        f"end, {made.withdrawn} left for good"
        + (f", {screened} were screened out" if screened else "")
        + f"; {len(results.counted)} are counted"
        + (f", {planned} were planned." if planned else ". No number was planned.")
    )
    if results.look:
        yield f"{'. '.join(results.look.sentences())}."


def _exclusions(results: Results, made: Tables) -> Iterator[str]:
    yield "Exclusions, fixed in the study file:"
    rules = [
        f"{rule.meaning} ({rule.rule}: {len(rule.participants)} people)"
        for rule in results.exclusions.rules
    ]
    rules += [
        f"{rule.meaning} ({rule.rule}: {len(rule.trials)} trials)"
        for rule in results.exclusions.of_trials
    ]
    yield f"{'; '.join(rules)}. Nobody was left out for being right or wrong in scored trials."


def _estimator(results: Results, made: Tables) -> Iterator[str]:
    study, levels = results.data.study, levels_of(results)
    yield _ESTIMATOR.get(study.protocol, _FRACTION)
    if study.trials.ties:
        yield "Two that were found alike count as in the model of Davidson (1970)."
    if study.protocol != "preference" and not isinstance(study.trials.exposure_ms, int):
        yield (
            "The threshold of a model is the exposure at which 75% would be right, by a logistic "
            "curve over the logarithm of the exposure."
        )
    if study.protocol != "preference" and study.trials.confidence:
        yield "Confidence is described by meta-d' (Maniscalco and Lau 2012)."
    if study.protocol != "preference":
        yield _INTERVAL
        delta = study.analysis.delta
        yield (
            f"A model is called indistinguishable where the {_percent(levels.narrow)} interval "
            f"lies within {0.5 - delta:g} and {0.5 + delta:g} (two one-sided tests), told apart "
            f"where the {_percent(levels.wide)} interval lies above 0.5, reversed where below."
        )


def _program(results: Results, made: Tables) -> Iterator[str]:
    data = results.data
    yield (
        f"The study (version {data.versions[-1]}) was built by {data.program}; "
        f"SHA-256 of the study file's meaning: {data.study.sha256}. "
        "`analysis/figures.py` recomputes the cells and comparisons of `turing results --json` "
        "from `data/trials_data.csv`."
    )


def _exposure(milliseconds: Any) -> str:
    """In words: a number, 0 until the answer, several in turn, or as a rule says."""
    if not milliseconds:
        return "until the answer"
    if isinstance(milliseconds, str):
        return f"for as long as a {milliseconds} chose"
    several = milliseconds if isinstance(milliseconds, tuple) else (milliseconds,)
    return f"for {', '.join(map(str, several))} ms{' in turn' if len(several) > 1 else ''}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"
