"""The strong model: how it is built, trained, calibrated, stored and run."""
