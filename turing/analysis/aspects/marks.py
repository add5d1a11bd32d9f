"""What gave pictures away: the places that people marked, by photo and by whose colours it had."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Marked:
    """A photo in one model's colours, or the original's, as it was marked; `points` are x and y,
    from 0 to 1 of its width and height, from the upper left."""

    dataset: str
    file: str
    colours: str  # a model's name, or ORIGINAL
    stimulus: str  # one that shows it
    part: int  # of that stimulus
    parts: int
    asked: int  # choices after which it could be marked
    people: int  # who marked it
    points: np.ndarray  # (n, 2)


def marked(choices: pd.DataFrame) -> tuple[Marked, ...]:
    """Every photo and colouring that was marked, most marks first."""
    asked = choices[choices["marks"].notna()]
    shown: dict[tuple, list[pd.Series]] = {}
    points: dict[tuple, list[tuple[float, float]]] = {}
    people: dict[tuple, set[int]] = {}
    for _, row in asked.iterrows():
        sides = [side for side in (row["left"], row["right"]) if isinstance(side, str)]
        for side in sides:
            shown.setdefault((row["dataset"], row["photo_id"], side), []).append(row)
        for mark in json.loads(row["marks"]):
            key = row["dataset"], row["photo_id"], sides[mark["part"]]
            points.setdefault(key, []).append((mark["x"], mark["y"]))
            people.setdefault(key, set()).add(int(row["participant"]))
    found = []
    for key, at in points.items():
        first = shown[key][0]
        sides = [side for side in (first["left"], first["right"]) if isinstance(side, str)]
        found.append(
            Marked(
                str(key[0]),
                str(first["photo_file"]),
                key[2],
                str(first["stimulus"]),
                sides.index(key[2]),
                len(sides),
                len(shown[key]),
                len(people[key]),
                np.array(at),
            )
        )
    return tuple(sorted(found, key=lambda m: (-len(m.points), m.dataset, m.file, m.colours)))
