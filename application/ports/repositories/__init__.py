"""What one unit of work can read, one port a theme.

Everything is read as committed and handed out as a private copy; nothing reaches another account's rows. A method
that returns one thing raises NotFound for what this account does not have; every method raises StoreUnavailable
when the store does not answer, and SealBroken when a value does not open. Repeating is harmless throughout.

One broken row must not hold up a list, an export, a deletion or an erasure. So what only shows, deletes or closes
something reads broken rows as well (`even_broken`, and where a method says so): values that do not open are None there
and named in `unreadable`; an aggregate that is `altered` has plain values that nobody vouches for.
"""
