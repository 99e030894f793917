"""Sentry: receives reports of errors nobody foresaw, of which each says what rose where, and nothing else."""
