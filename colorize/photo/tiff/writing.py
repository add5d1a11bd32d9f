"""TIFF of 16 bits a channel, which Pillow does not write."""

from typing import BinaryIO

import numpy as np
import tifffile

_STRIP_BYTES = 1 << 18


def write_sixteen_bits(
    file: BinaryIO, samples: np.ndarray, profile: bytes, dpi: tuple[float, float] | None
) -> None:
    """Write uint16 (h, w, 3 or 4), RGB with or without alpha, as a classic TIFF in Deflate."""
    with tifffile.TiffWriter(file, bigtiff=False, shaped=False) as writer:
        writer.write(
            samples,
            photometric="rgb",
            extrasamples=["unassalpha"] if samples.shape[2] == 4 else None,
            compression="zlib",
            predictor=True,
            rowsperstrip=max(1, _STRIP_BYTES // (samples.shape[1] * samples.shape[2] * 2)),
            iccprofile=profile,
            resolution=dpi,
            resolutionunit="INCH" if dpi else None,
            metadata=None,
            software=False,
        )
