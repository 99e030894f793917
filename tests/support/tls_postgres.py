"""TLS before a PostgreSQL that has none: the wheel's server is built without it.

What it speaks is PostgreSQL's own negotiation (SSLRequest), then TLS with a certificate for the names it is called by.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def certified(names: Sequence[str], folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a context for these names, and the file of the certificate that vouches for it: itself."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's own")])
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    secret, public = folder / "server.pem", folder / "server.crt"
    secret.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    public.write_bytes(made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secret)
    return context, public


@contextmanager
def before(socket: str, context: ssl.SSLContext) -> Iterator[int]:
    """Listen on loopback, take TLS only, and pass on to a server's socket; yield the port."""
    loop, ready, servers = asyncio.new_event_loop(), threading.Event(), list[asyncio.Server]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) != SSL_REQUEST:
                writer.close()
                return
            writer.write(b"S")
            await writer.start_tls(context)
            there, back = await asyncio.open_unix_connection(socket)
            both = [asyncio.ensure_future(_pour(reader, back)), asyncio.ensure_future(_pour(there, writer))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            back.close()
        writer.close()

    async def stand() -> None:
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        servers.append(server)
        ready.set()

    def run() -> None:
        loop.create_task(stand())
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield int(servers[0].sockets[0].getsockname()[1])
    finally:

        def end() -> None:
            servers[0].close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.call_later(0.05, loop.stop)

        loop.call_soon_threadsafe(end)
        thread.join(10)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while piece := await source.read(1 << 16):
            sink.write(piece)
            await sink.drain()
