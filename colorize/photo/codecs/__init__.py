"""Pixels of files that Pillow's readers and writers take amiss, or in part."""
