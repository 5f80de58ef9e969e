"""The vault: what it keeps, what it answers, and what cheaters get out of it."""
