"""How a picture looks to people with a colour vision deficiency."""

import numpy as np
from skimage.color import rgb2lab

# Machado, Oliveira and Fernandes 2009 (IEEE TVCG 15), severity 1.0: of linear sRGB. Their tritan
# matrix is of a shifted cone, not of a missing one (its smallest singular value is 0.16, those of
# the others 0.000001), so tritanopia is the next.
_MACHADO = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
# Viénot, Brettel and Mollon 1999 (Color Research and Application 24): linear RGB to cones. A
# tritanope has two of them; the third is what it is for a grey of that long-wave signal.
_CONES = np.array(
    [
        [17.8824, 43.5161, 4.11935],
        [3.45565, 27.1554, 3.86714],
        [0.0299566, 0.184309, 1.46709],
    ]
)


def _matrix(vision: str) -> np.ndarray:
    if vision in _MACHADO:
        return np.array(_MACHADO[vision])
    if vision == "tritan":
        of_grey = _CONES.sum(1)
        replaced = np.eye(3)
        replaced[2] = (of_grey[2] / of_grey[0], 0, 0)
        return np.linalg.inv(_CONES) @ replaced @ _CONES
    return np.eye(3)


def seen(pixels: np.ndarray, vision: str) -> np.ndarray:
    """CIELAB `(..., 3)` of what is seen of uint8 sRGB `(..., 3)`; `vision` is protan, deutan,
    tritan, or normal."""
    encoded = pixels / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ _matrix(vision).T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(encoded)
