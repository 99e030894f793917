"""Certificates as Apple's are: a root, who issues, and who signs; each with the mark that Apple gives it."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

MARKS = {"issuer": "1.2.840.113635.100.6.2.1", "leaf": "1.2.840.113635.100.6.11.1"}
LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs as Apple does. Its root is in no device's list."""

    root: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def made(
        cls, at: datetime, *, leaf_life: timedelta = LIFE, marks: Mapping[str, str] = MARKS
    ) -> Authority:
        """Make one that is valid from `at` on."""
        root_key, issuer_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        root = _certificate("root", root_key, "root", root_key, at, LIFE, None)
        issuer = _certificate("issuer", issuer_key, "root", root_key, at, LIFE, marks.get("issuer"))
        leaf = _certificate("leaf", leaf_key, "issuer", issuer_key, at, leaf_life, marks.get("leaf"))
        return cls(root, (leaf, issuer, root), leaf_key)

    @property
    def pem(self) -> bytes:
        """The root's certificate."""
        return self.root.public_bytes(Encoding.PEM)

    def signed(self, said: Mapping[str, object], **header: object) -> str:
        """Sign as Apple signs what it tells."""
        x5c = [b64encode(each.public_bytes(Encoding.DER)).decode() for each in self.chain]
        head = {"alg": "ES256", "x5c": x5c, **header}
        text = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(said).encode())}"
        r, s = utils.decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{_text(r.to_bytes(32) + s.to_bytes(32))}"


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, at: datetime,
    life: timedelta, mark: str | None,
) -> x509.Certificate:  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + life)
        .add_extension(x509.BasicConstraints(ca=name != "leaf", path_length=None), critical=True)
    )
    if mark is not None:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(mark), b"\x05\x00"), critical=False
        )
    return builder.sign(by, SHA256())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
