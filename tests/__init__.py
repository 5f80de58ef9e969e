"""The tests mirror the package; each docstring states a truth."""
