"""Sealing of objects, in one place for every store of bytes."""
