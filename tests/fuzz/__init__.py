"""Fuzz targets; each also runs as a plain script over files that are given to it."""
