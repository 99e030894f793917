"""Stand-ins on this machine's own disk."""
