"""vCards (2.1, RFC 2426, RFC 6350): read as they come over the wire, written to be read anywhere.

Read by code of our own: see docs/adr/0018 for why no library.
"""
