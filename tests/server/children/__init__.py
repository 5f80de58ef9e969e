"""Children and what goes to them and back."""
