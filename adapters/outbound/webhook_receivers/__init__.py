"""Calling anybody's address, from behind a guard."""
