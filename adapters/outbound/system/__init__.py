"""Time, identities, password hashes, tokens and fingerprints, made on this machine."""
