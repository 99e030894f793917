"""Ways out: stores, keys, carriers, mail."""
