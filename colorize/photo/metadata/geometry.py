"""Where a point of the stored picture lies in the upright one (EXIF 3.0, 4.6.5.1)."""

from collections.abc import Sequence

Size = tuple[float, float]

_FROM_RIGHT, _FROM_BOTTOM = (2, 3, 7, 8), (3, 4, 6, 7)
# Quarters to the left, then whether it is mirrored left to right: from boxes to orientations.
OF_BOXES = {(0, 0): 1, (1, 0): 8, (2, 0): 3, (3, 0): 6, (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5}


def swaps(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation >= 5


def turned_size(orientation: int, width: float, height: float) -> Size:
    return (height, width) if swaps(orientation) else (width, height)


def turned_point(orientation: int, x: float, y: float, size: Size) -> tuple[float, float]:
    """`size` (width, height) is the stored picture's: 1 and 1 for shares of it; for the middles of
    pixels, one less than their numbers."""
    x = size[0] - x if orientation in _FROM_RIGHT else x
    y = size[1] - y if orientation in _FROM_BOTTOM else y
    return (y, x) if swaps(orientation) else (x, y)


def turned_subject(numbers: Sequence[int], orientation: int, size: Size) -> list[int]:
    """EXIF's subject: x and y; with a diameter; or with width and height (EXIF 3.0, 4.6.6.4).

    Raises ValueError where it lies outside the picture.
    """
    if len(numbers) not in (2, 3, 4):
        raise ValueError("a subject has two to four numbers")
    x, y, *sides = numbers
    if not (0 <= x < size[0] and 0 <= y < size[1]):
        raise ValueError("outside the picture")
    if not any(numbers):  # not known
        return list(numbers)
    point = turned_point(orientation, x, y, (size[0] - 1, size[1] - 1))
    if len(sides) == 2:
        sides = turned_size(orientation, *sides)
    return [int(one) for one in (*point, *sides)]
