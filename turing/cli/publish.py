"""The command that writes the open data set of a study: publish."""

from pathlib import Path
from typing import Annotated

import typer

from turing.cli.base import LARGEST, StoreFile, command, say, warn
from turing.store.store import Store
from turing.study.counts import count


@command("publish")
def publish(
    store: StoreFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder.")],
    version: Annotated[
        int | None,
        typer.Option(
            metavar="V",
            min=1,
            max=LARGEST,
            help="A version. [default: the one that new participants see]",
        ),
    ] = None,
    ids: Annotated[
        bool, typer.Option("--ids", help="With the IDs that participants came with.")
    ] = False,
    texts: Annotated[
        bool, typer.Option("--texts", help="With answers in free text, which may name people.")
    ] = False,
) -> None:
    """Write a study as an open data set by the rules of Psych-DS, with scripts that recompute it.

    Participants get random IDs and coarse times, who left is not in it. Once the study is closed,
    the key that sides and order follow from is revealed, and the study cannot be opened again.

    \b
    python -m turing publish studies/demo.sqlite -o demo-data
    """
    from turing.publish.dataset import publish as write

    with Store(store) as opened:
        done = write(
            opened, output, version=version, ids=ids, texts=texts, prompt=_prompt(opened, version)
        )
    key = "with the trial key" if done.key else "without the trial key: the study is not closed"
    say(
        f"{done.folder}: {count(done.participants, 'participant')}, {count(done.trials, 'trial')}, "
        f"{count(done.stimuli, 'stimulus', 'stimuli')}, {key}"
    )
    if done.key:
        say("the study stays closed from now on: by its key anybody can tell what is right")
    if not done.trials:
        warn(f"{store}: nobody has answered a trial: the tables of this data set are empty")
    elif not done.counted:
        warn(f"{store}: no answer is counted: this data set gives no figures")
    say(f"python {done.folder}/analysis/figures.py recomputes the figures")


def _prompt(store: Store, version: int | None) -> str:
    """What the page asks in every trial of a version."""
    from turing.store.store import facts
    from turing.web.routes import PAGE
    from turing.web.texts import prompt, read_texts

    with store.reading() as db:
        number = version or facts(db).version
        if number is None:
            return ""
        study = store.version(db, number).study
    return prompt(read_texts(PAGE), study, study.protocol)
