"""A study in words, as the methods of a paper have it: design, exclusions, estimator, version."""

from collections.abc import Iterator, Sequence

from turing.analysis.analysis import Results
from turing.publish.metadata import levels_of
from turing.publish.tables import Tables
from turing.study.counts import count, people
from turing.study.study import Study

_SHOWN = {
    "pick-original": "the original and a colorization of a photo side by side and picked the "
    "original",
    "pick-fake-sequential": "the original and a colorization of a photo one after the other and "
    "said which was the colorized one (Zhang et al. 2016, section 4.1)",
    "single": "one picture at a time, half of them originals and half colorizations, and said "
    "which of the two it was",
    "preference": "two colorizations of a photo side by side and picked the one that looked more "
    "real",
}
_SAME = {
    "single": "A colorization takes its lightness from the original, and both go through the same "
    "rendering: they differ in colour alone.",
    "preference": "Both colorizations take their lightness from the original and go through the "
    "same rendering: they differ in colour alone.",
}
_BOTH_PARTS = (
    "The colorization takes its lightness from the original, and both parts go through the same "
    "rendering: they differ in colour alone."
)
_CATCH = {"single": "a wildly wrong colouring, alone"}
_CROSSED = (
    "Participants and photos are crossed: variances are those of Cameron, Gelbach and Miller "
    "(2011) for two-way clusters, with Satterthwaite's degrees of freedom (1946)"
)
_FRACTION = "The turing fraction of a model is the share of its scored trials that were right"
_HALVES = (
    "The turing fraction of a model is half the share of its colorizations that were told, half "
    "that of the originals, which all models of a dataset share"
)


def paragraphs(
    results: Results, made: Tables, practice: Sequence[str] = (), prompt: str = ""
) -> str:
    """Markdown. `practice`: the models of practice, where these are others; `prompt`: what a trial
    asked."""
    study = results.data.study
    parts = (
        _design(study, results, prompt),
        _trials(study, practice),
        _viewing(study, results),
        _participants(results, made),
        _exclusions(results),
        _estimator(study, results),
        _beside(study),
        _program(results),
    )
    title = f"# Methods of {study.name}\n\n"
    if results.data.simulated:
        title += "**The participants are made up (`turing simulate`): no person answered.**\n\n"
    told = (" ".join(part) for part in parts)
    return title + "\n".join(f"{text}\n" for text in told if text)


def _design(study: Study, results: Results, prompt: str) -> Iterator[str]:
    stimuli, scored = study.stimuli, results.data.built_from.get("scored", {})
    asked = f', asked "{prompt}"' if prompt else ""
    yield f"Participants saw {_SHOWN[study.protocol]}{asked}."
    yield _SAME.get(study.protocol, _BOTH_PARTS)
    datasets = (dataset.name for dataset in stimuli.datasets)
    photos = (f"{name} ({scored[name]} scored)" if name in scored else name for name in datasets)
    yield (
        f"Models: {', '.join(study.models)} (`preregistration.json` has the SHA-256 of "
        f"weights{' and pictures' if stimuli.external else ''}). Photos came from "
        f"{', '.join(photos)}, with the shorter side at "
        f"{stimuli.display_size} pixels; photos with a mean chroma under {stimuli.min_chroma:g} "
        "(CIELAB) were left out."
    )
    yield "The consent, the instructions and all questions are in `study.toml`."


def _trials(study: Study, practice: Sequence[str]) -> Iterator[str]:
    trials = study.trials
    catch = ""
    if trials.catch:
        what = _CATCH.get(study.protocol, "the original against a wildly wrong colouring")
        catch = (
            f", and among them, unmarked and never first, {count(trials.catch, 'catch trial')} "
            f"({what}), which serve exclusion alone"
        )
    yield f"Each participant had {count(trials.per_participant, 'scored trial')}{catch}."
    if trials.practice:
        feedback = "" if study.protocol == "preference" else ", with feedback"
        whose = (
            f" and {' and '.join(practice)}, not under test, so that it taught nothing about the "
            "models that were"
            if practice
            else " and the models under test"
        )
        yield (
            f"Before came {count(trials.practice, 'trial')} for practice{feedback}, of other "
            f"photos{whose}."
        )
    yield from _exposure(study)
    yield (
        "A photo was shown at most once to a participant. Order, models and "
        + ("which were originals" if study.protocol == "single" else "sides")
        + " were balanced and drawn from HMAC-SHA256 with a secret key, whose SHA-256 was "
        "registered before."
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


def _exposure(study: Study) -> Iterator[str]:
    trials = study.trials
    if trials.has_staircase:
        yield (
            "How long pictures were shown followed the answers, on one track a model (two in turn "
            "where there is one): from 500 ms down by half an octave after each right answer until "
            "the first wrong one, from there down a quarter of an octave after three right ones in "
            "a row and up after each wrong one (Levitt 1971), between 31 and 2000 ms."
        )
    elif trials.exposures:
        levels = ", ".join(map(str, trials.exposures))
        yield (
            f"Pictures were shown for {levels} ms, each equally often for each model within a "
            "participant, in an order that was drawn."
        )
    elif trials.exposure_ms:
        each = " each" if study.protocol == "pick-fake-sequential" else ""
        yield f"Pictures were shown for {trials.exposure_ms} ms{each}."
    else:
        yield "Pictures were shown until the answer."


def _viewing(study: Study, results: Results) -> Iterator[str]:
    device, screening = study.device, study.screening
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
            f"Before the {'practice' if study.trials.practice else 'trials'} participants looked "
            f"for the gaps of {count(screening.plates, 'ring')} of "
            "coloured dots of random lightness (after Regan, Reffin and Mollon 1994), on the "
            f"confusion lines of protan, deutan and tritan deficiency in turn; {found}"
        )
    if results.data.devices:
        yield (
            "On what each looked (window, pixels, pointer, colours of the screen) is in "
            "`data/participants_data.csv`."
        )


def _participants(results: Results, made: Tables) -> Iterator[str]:
    persons, asked = results.people, results.data.study.participants
    screened = int(persons["screened_out"].sum())
    months = sorted({f"{started:%Y-%m}" for started in persons["started"].dropna()})
    when = f" ({' to '.join(dict.fromkeys((months[0], months[-1])))})" if months else ""
    ended = int(persons["finished"].notna().sum())
    yield (
        f"{people(results.started)} started{when}, {ended} came to the end, {made.withdrawn} left "
        "for good"
        + (f", {screened} {'was' if screened == 1 else 'were'} screened out" if screened else "")
        + f"; {len(results.counted)} {'is' if len(results.counted) == 1 else 'are'} counted"
        + (
            f", {count(asked.planned, 'was', 'were')} planned."
            if asked.planned
            else ". No number was planned."
        )
    )
    if asked.on_leave == "delete":
        yield "The data of who left were deleted at once: they are in none of these numbers."
    if results.look:
        yield f"{'. '.join(results.look.sentences())}."


def _exclusions(results: Results) -> Iterator[str]:
    yield "Exclusions, fixed in the study file:"
    rules = [
        f"{rule.meaning} ({rule.rule}: {people(len(rule.participants))})"
        for rule in results.exclusions.rules
        if rule.rule != "min_catch_correct" or results.data.study.trials.catch
    ]
    rules += [
        f"{rule.meaning} ({rule.rule}: {count(len(rule.trials), 'trial')})"
        for rule in results.exclusions.of_trials
    ]
    yield f"{'; '.join(rules)}. Nobody was left out for being right or wrong in scored trials."
    if not results.data.study.analysis.only_complete:
        yield "Who stopped on the way, without leaving for good, counts with what was answered."


def _estimator(study: Study, results: Results) -> Iterator[str]:
    levels = levels_of(results)
    wide, narrow = _percent(levels.wide), _percent(levels.narrow)
    if study.protocol == "preference":
        yield (
            "Models are ranked by Bradley-Terry scores (1952; maximum likelihood, with a term for "
            f"the left side). {_CROSSED}. Intervals of ranks are from 1,000 draws of participants "
            "and of photos with replacement (Owen 2007). Comparisons of models are adjusted by "
            "Holm's method (1979) over all pairs of all datasets, and of the whole apart. "
            f"Intervals are {wide} ones."
        )
        if study.trials.ties:
            yield "Two that were found alike count as in the model of Davidson (1970)."
        return
    yield f"{_HALVES if study.protocol == 'single' else _FRACTION}; 0.5 is chance."
    yield (
        f"{_CROSSED}, and the interval is Wilson's (1927) at the effective number of choices (Korn "
        "and Graubard 1998). Differences of models take the covariance of shared participants and "
        "photos into account; their p-values are adjusted by Holm's method (1979) over all pairs "
        "of all datasets, and of the whole apart."
    )
    delta = study.analysis.delta
    yield (
        f"A model is called indistinguishable where the {narrow} interval lies within "
        f"{0.5 - delta:g} and {0.5 + delta:g} (two one-sided tests, Schuirmann 1987; detectable "
        f"all the same where the {wide} interval leaves out 0.5), told apart where the {wide} "
        "interval lies above 0.5, reversed where below, else undecided."
    )


def _beside(study: Study) -> Iterator[str]:
    """What else is estimated."""
    if study.protocol == "preference":
        return
    if study.protocol == "single":
        yield (
            "d' and the criterion are from the shares of colorizations and of originals that were "
            "called colorized (Macmillan and Creelman 2005), with intervals by the delta method."
        )
    else:
        yield "d' is the square root of 2 times z of the fraction (Macmillan and Creelman 2005)."
    yield (
        "How much true fractions of photos and people differ is the intraclass correlation's share "
        "of the variance (Donner and Koval 1980), tested after Tarone (1979)."
    )
    yield (
        "A mixed model of all choices (logit, participants and photos crossed; variational Bayes "
        "of statsmodels, errors after Breslow and Clayton 1993) stands beside: "
        "`analysis/figures.py --mixed`."
    )
    if not isinstance(study.trials.exposure_ms, int):
        yield (
            "The threshold of a model is the exposure at which 75% would be right, by a logistic "
            "curve over the logarithm of the exposure with 2% lapses (Wichmann and Hill 2001); its "
            "interval is Fieller's (1954)."
        )
    if study.trials.confidence:
        yield "Confidence is described by the ROC and meta-d' (Maniscalco and Lau 2012)."


def _program(results: Results) -> Iterator[str]:
    data = results.data
    yield (
        f"The study (version {data.versions[-1]}) was built by {data.program}; "
        f"SHA-256 of the study file's meaning: {data.study.sha256}. "
        "`analysis/figures.py` recomputes the figures of `turing results --json` from "
        "`data/trials_data.csv`, and lists under `left_out` what of them it does not: counts of "
        "people, which `data/participants_data.csv` has, those who left, response times, answers "
        "to questions and marks. `analysis/model.R` fits a mixed model of the same choices with "
        "lme4; the tests of the program that wrote it run it only where R is installed."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"
