"""Lab, the 313 bins, and the merge of L and ab at full size. Tensors in, tensors out."""

from colorize.color.lab import lab_from_rgb, rgb_from_lab

__all__ = ["lab_from_rgb", "rgb_from_lab"]
