"""Numbers about numbers: worked by hand, by property, and by simulation."""
