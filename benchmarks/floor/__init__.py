"""The floor: four of Pico's answers written by hand over aiohttp and asyncpg, as fast as their public interfaces allow.

No layers, no models, no aggregates: a function an answer, a statement a request (database.py), JSON by f-string,
sealing by offsets (sealing.py). It promises what Pico promises, and benchmarks/check.py compares the answers and
every row they leave:

* the carrier's signature, the bearer token through its keyed index, JSON and query read as strictly;
* the same ciphertexts, associated data and blind indexes, under keys kept for 300 seconds at most;
* text, conversation, once-record and job in one durable commit, or none of them; nothing on a line that is not active,
  to whoever opted out, or twice for one act; a session revoked a moment ago opens nothing.

What it remembers (number -> line, index of a token -> account) is a guess that the request's own statement verifies.
"""
