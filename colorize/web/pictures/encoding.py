"""Pictures as the bytes that a browser gets."""

import base64
import io

import numpy as np
from PIL import Image

from colorize.web.pictures.unsure import outline


def encode(picture: np.ndarray, alpha: np.ndarray | None = None) -> tuple[bytes, str]:
    """A preview as bytes and their media type: JPEG, or WebP where it is transparent."""
    image, out = Image.fromarray(picture), io.BytesIO()
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
        image.save(out, "WEBP", quality=90, method=1)
        return out.getvalue(), "image/webp"
    image.save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue(), "image/jpeg"


def encode_uncertainty(uncertainty: np.ndarray, alpha: np.ndarray | None = None) -> bytes:
    """A PNG in pink, clear but for the `outline` of where the model is least sure."""
    opacity = outline(uncertainty, alpha)
    overlay = np.empty((*opacity.shape, 4), np.uint8)
    overlay[..., :3] = (255, 0, 170)
    overlay[..., 3] = opacity
    out = io.BytesIO()
    Image.fromarray(overlay).save(out, "PNG")
    return out.getvalue()


def data_address(picture: np.ndarray, alpha: np.ndarray | None = None) -> str:
    """A small picture as an address that holds it."""
    content, media_type = encode(picture, alpha)
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def svg_path(line: np.ndarray) -> str:
    """A closed line `(n, 2)` of x and y as part of an SVG path's `d`, in tenths."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.tolist()) + "Z"
