"""The end of a load balancer's TLS within a task: `python -m bootstrap.front`.

Pico listens on loopback. Where the load balancer comes over a network, this stands between: it takes TLS on `PORT`,
and passes bytes on to Pico in the same task. Load balancers of AWS do not check who they talk to, so the certificate
is made at the start, for this process alone, and its key is nowhere but in its memory once it serves.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bootstrap.process import LOOPBACK, ending
from bootstrap.settings import Settings, read_settings

PORT = 8443
PIECE = 64 << 10
GRACE = 50.0
"""Seconds in which what is under way may end, once the process is told to."""
SHAKE = 10.0
"""Seconds that a handshake may take."""
DAYS = 3650


def tls() -> ssl.SSLContext:
    """Return a context with a key and a certificate of its own, made now."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pico")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=DAYS)
    ).sign(key, SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile(prefix="pico-") as file:  # `ssl` takes a file only; it is gone at once
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.write(made.public_bytes(Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, port: int) -> None:
    """Pass a connection on to Pico, both ways, until one side ends. Where Pico does not answer, it just ends."""
    try:
        there, back = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        writer.close()
        return
    both = {asyncio.create_task(_pour(reader, back)), asyncio.create_task(_pour(there, writer))}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        for end in (writer, back):
            end.close()
        await asyncio.gather(*both, return_exceptions=True)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()


async def front(host: str, port: int, pico: int, told: asyncio.Event) -> None:
    """Stand before Pico's port until `told`, then take nothing new and let what is under way end."""
    under_way = set[asyncio.Task[None]]()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(partial(passed_on, port=pico)(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(take, host, port, ssl=tls(), ssl_handshake_timeout=SHAKE)
    await told.wait()
    server.close()
    if under_way:
        await asyncio.wait(under_way, timeout=GRACE)
    for task in under_way:
        task.cancel()


async def _stand() -> None:
    await front("0.0.0.0", PORT, read_settings(Settings).port, ending())  # noqa: S104 - a task's own network, see above


if __name__ == "__main__":
    asyncio.run(_stand())
