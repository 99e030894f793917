"""What one unit of work can read, one port a theme.

Everything is read as committed and handed out as a private copy; nothing reaches another account's rows. A method
that returns one thing raises NotFound for what this account does not have; every method raises StoreUnavailable
when the store does not answer, and SealBroken when a value does not open. Repeating is harmless throughout.
"""
