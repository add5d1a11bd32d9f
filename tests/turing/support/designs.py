"""Designs of studies, of made-up photos."""

from turing.study.trials import Design, select_photos


def photos_of(*sizes):
    return {f"set{k}": [f"{k}-{i}" for i in range(n)] for k, n in enumerate(sizes)}


def make_design(
    sizes=(30, 30), models=2, trials=20, practice=2, catch=2, protocol="pick-original", seed=7
):
    chosen = select_photos(
        photos_of(*sizes),
        per_dataset=0,
        per_participant=trials,
        practice=practice,
        catch=catch,
        seed=seed,
    )
    names = tuple(f"model{i}" for i in range(models))
    return Design(protocol, names, chosen.scored, chosen.practice, chosen.catch, trials, seed)
