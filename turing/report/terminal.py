"""The report in a terminal: the answer, then the tables, as wide as the window allows."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from turing.analysis.analysis import Results
from turing.report.tables import aspects
from turing.report.tables import people as people_tables
from turing.report.tables import results as tables
from turing.report.tables import study as study_tables
from turing.report.tables.table import Table
from turing.report.words import answer


def print_report(results: Results, console: Console) -> None:
    """The answer, then the tables, as wide as the terminal allows."""
    study = results.data.study
    console.print(
        f"[bold]{escape(study.study.title)}[/bold]  {escape(study.name)}, "
        f"version {', '.join(map(str, results.data.versions))}, {study.protocol}"
    )
    if results.data.simulated:
        console.print("[yellow]Simulated: some of these participants are synthetic.[/yellow]")
    for note in results.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]")
    console.print()
    for sentence in answer(results) or ["No answers that count yet."]:
        console.print(f"  {escape(sentence)}", highlight=False)
    for table in (
        tables.cells_table(results),
        tables.preference_table(results),
        *tables.protocol_tables(results),
        aspects.thresholds_table(results),
        aspects.exposures_table(results),
        aspects.sureness_table(results),
        people_tables.people_table(results),
        people_tables.viewing_table(results),
        people_tables.exclusions_table(results),
        tables.without_table(results),
        tables.times_table(results),
        tables.checks_table(results),
        *([study_tables.printed_table(results)] if study_tables.has_printed(results) else []),
    ):
        print_table(table, console)


def print_table(table: Table, console: Console) -> None:
    """A table with as many of its columns as fit, from the left."""
    if not table.rows:
        return
    widths = [
        max(len(column), *(len(row[i]) for row in table.rows)) + 2
        for i, column in enumerate(table.columns)
    ]
    # A space between each two columns, beside their padding.
    needed = [sum(widths[: i + 1]) + i for i in range(len(widths))]
    fit = max(sum(width <= console.width for width in needed), table.text + 1)
    drawn = RichTable(box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    drawn.title = escape(table.title)
    for i, column in enumerate(table.columns[:fit]):
        words = i < table.text
        drawn.add_column(
            escape(column),
            justify="left" if words else "right",
            no_wrap=widths[i] < 50,
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(escape(cell) for cell in row[:fit]))
    console.print()
    console.print(drawn)
    if hidden := table.columns[fit:]:
        console.print(f"[dim]In a wider window: {escape(', '.join(hidden))}[/dim]")
    if table.note:
        console.print(f"[dim]{escape(table.note)}[/dim]")
