"""The floor: four of Pico's answers written by hand over aiohttp and asyncpg, as fast as their public interfaces allow.

No layers, no models, no aggregates: a function an answer, a statement a request that reads and two for one that
writes (database.py), JSON by orjson, sealing by offsets (sealing.py, binding.py). It promises what Pico promises,
and benchmarks/check.py compares the answers and every row they leave:

* the carrier's signature, the bearer token through its keyed index, JSON, forms and query read as strictly;
* the same ciphertexts, associated data and blind indexes, under keys kept for 300 seconds at most; what was altered
  is believed nowhere: it is refused where Pico refuses it, and left out where Pico shows the rest;
* message, conversation, idempotency record and job in one durable commit, or none of them; nothing on a line that is
  not active, to whoever opted out, even in a former conversation, to whom no message reaches, or twice for one act;
* a session that was revoked or has expired a moment ago opens nothing; that one was used is noted once a day.

What it remembers (number -> line, index of a token -> session, lines it opened) is a guess that the request's own
statement verifies.
"""
