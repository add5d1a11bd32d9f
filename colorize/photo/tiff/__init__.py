"""TIFF files as scientists, archives and scanners write them: right, or refused by name."""
