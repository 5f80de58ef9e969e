"""Shipped models: data only. `oversight.students.checkpoint` reads them."""
