"""GitHub protocol, client, publishing and the Action (grows with the Action)."""
