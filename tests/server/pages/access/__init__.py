"""Who may come in to the pages, and what they may see and do."""
