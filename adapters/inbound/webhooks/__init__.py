"""What providers tell us: a package each, with its own verification, parsing and credentials."""
