"""The Sandbox's push services: simulated, with keys that its state folder remembers."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adapters.google_access import GoogleAccount
from adapters.outbound.push.apns import ProviderKey
from adapters.outbound.push.fcm import FirebaseProject
from adapters.outbound.push.simulator import PushSimulator
from bootstrap.pushing import ApnsAccess, FcmAccess, PushAccess
from bootstrap.sandbox_state import SandboxState


def simulated_push(saved: SandboxState) -> PushSimulator:
    """Return services that know the keys of this Sandbox, which are made the first time."""
    if not saved.push_keys:
        made = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
        saved.push_keys = tuple(_pem(key) for key in made)
    google, apple = (load_pem_private_key(pem.encode(), None) for pem in saved.push_keys)
    if not isinstance(google, rsa.RSAPrivateKey) or not isinstance(apple, ec.EllipticCurvePrivateKey):
        raise TypeError
    return PushSimulator(google.public_key(), apple.public_key())


def push_access(saved: SandboxState) -> PushAccess:
    """Return what they are reached by; where none runs, no device is woken."""
    if not saved.push_urls:
        return PushAccess()
    (google_key, apple_key), (google, apple, development) = saved.push_keys, saved.push_urls
    project = FirebaseProject(
        "pico-sandbox", GoogleAccount("pico@sandbox.example", google_key, f"{google}/token")
    )
    key = ProviderKey("SANDBOX001", "SANDBOX002", apple_key, "example.sandbox.pico")
    return PushAccess(FcmAccess(project, google), ApnsAccess(key, apple, development))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
