"""The commands about what a store holds: `export`, `backup`, `restore`, `merge` and the like."""

from pathlib import Path
from typing import Annotated

import typer

from turing.cli.base import FAILED, LARGEST, StoreFile, command, say, warn
from turing.errors import WrongUseError
from turing.store.store import Store
from turing.study.counts import count


@command("export")
def export(
    store: StoreFile,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Ends in .csv, .json or .parquet, the format."
        ),
    ],
    version: Annotated[
        int | None,
        typer.Option(metavar="V", min=1, max=LARGEST, help="A version only. [default: all]"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="With previews, and with those who left.")
    ] = False,
    blind: Annotated[
        bool,
        typer.Option("--blind", help="Models and photos under codes, and no outside IDs."),
    ] = False,
) -> None:
    """Write a row for each choice, and beside it one for each participant, one for each event, and
    a file that explains the columns.

    \b
    python -m turing export studies/demo.sqlite -o choices.csv
    python -m turing export studies/demo.sqlite -o choices.parquet --blind
    """
    from turing.report.exports.export import export as write

    with Store(store) as opened:
        done = write(opened, output, version=version, everything=everything, blind=blind)
    say(
        f"{done.path}: {count(done.rows, 'choice')}; {done.participants.name} and "
        f"{done.events.name} beside "
        f"it; {done.dictionary} explains the columns"
    )


@command("backup")
def backup(
    store: StoreFile,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Another folder, or disk.")],
) -> None:
    """Copy a store, which may be in use, with its pictures, and check the copy.

    \b
    python -m turing backup studies/demo.sqlite /media/stick/studies
    """
    from turing.store.upkeep.copies import backup as copy

    done = copy(store, folder)
    _say_kept(done.path, done.rows, done.pictures, done.faults, done.kept_before)


@command("restore")
def restore(
    copy: Annotated[Path, typer.Argument(metavar="BACKUP", help="The copy: FOLDER/NAME.sqlite.")],
    store: StoreFile,
) -> None:
    """Put a backup in a store's place, once it is checked. The old file is kept.

    \b
    python -m turing restore /media/stick/studies/demo.sqlite studies/demo.sqlite
    """
    from turing.store.upkeep.copies import restore as put_back

    done = put_back(copy, store)
    _say_kept(done.path, done.rows, done.pictures, done.faults, done.kept_before)


@command("merge")
def merge(
    first: Annotated[Path, typer.Argument(metavar="A", help="A store.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another part of the same study.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="C", help="A new file, *.sqlite.")
    ],
) -> None:
    """Join two stores of one study into a third; nothing is doubled.

    \b
    python -m turing merge a/demo.sqlite b/demo.sqlite -o all/demo.sqlite
    """
    from turing.store.upkeep.merging import merge as join

    done = join(first, second, output)
    for line in done.notes:
        warn(line)
    say(
        f"{done.path}: {first} with {count(done.participants, 'participant')} and "
        f"{count(done.choices, 'choice')} of {second}"
    )


@command("release")
def release(
    store: StoreFile,
    outside_id: Annotated[
        str, typer.Argument(metavar="ID", help="The ID that the person came with.")
    ],
) -> None:
    """Let a person in again whose browser lost its place. They go on where they stopped.

    \b
    python -m turing release studies/demo.sqlite 5f3c9a
    """
    from turing.store.people import release as let_in

    with Store(store) as opened:
        participant = let_in(opened, outside_id)
    say(f"Participant {participant} may come in again with that ID.")


@command("forget")
def forget(
    store: StoreFile,
    participant: Annotated[
        int | None,
        typer.Argument(
            metavar="[PARTICIPANT]",
            min=1,
            max=LARGEST,
            help="Their number in results and exports.",
        ),
    ] = None,
    receipt: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="In its place, what the page gave to who left."),
    ] = None,
) -> None:
    """Delete all that is known of a participant, for good. Backups made before still have it.

    \b
    python -m turing forget studies/demo.sqlite 17
    python -m turing forget studies/demo.sqlite --receipt ABCDE-FGHIJ
    """
    from turing.store.upkeep.forgetting import by_receipt
    from turing.store.upkeep.forgetting import forget as delete

    if (participant is None) == (receipt is None):
        raise WrongUseError("expected PARTICIPANT or --receipt, one of the two")
    with Store(store) as opened:
        if receipt is not None:
            participant = by_receipt(opened, receipt)
        deleted = delete(opened, participant)
    rows = ", ".join(
        f"{n} {table.removesuffix('s') if n == 1 else table}" for table, n in deleted.items() if n
    )
    say(f"Participant {participant} is forgotten: {rows} deleted.")


def _say_kept(
    path: Path,
    rows: dict[str, int],
    pictures: int,
    faults: tuple[str, ...],
    before: Path | None,
) -> None:
    for line in faults:
        warn(line)
    say(
        f"{path}: checked, {count(rows['participants'], 'participant')}, "
        f"{count(rows['choices'], 'choice')}, {count(pictures, 'picture')}"
    )
    if before:
        say(f"What was there before is kept as {before}")
    if faults:
        raise typer.Exit(FAILED)
