"""What git history knows: gold labels, and the context of a change as known at its moment."""
