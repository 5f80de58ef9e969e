"""The dashboard: its figures, its rows, its pictures, and the pages they are on."""
