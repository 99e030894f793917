"""Whether Twilio sent a webhook (Twilio: webhooks security; the SDK's RequestValidator agrees).

The simulator signs with code of its own, in the outbound adapter: what both misread would show against the samples.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest, digest
from urllib.parse import parse_qs, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
OURS = "HMAC_SHA1"


def signature_of(token: str, url: str, form: Iterable[tuple[str, str]] = ()) -> str:
    """Return what Twilio signs a request to `url` (without its fragment) with, given the decoded `form` pairs.

    Names are sorted by code point; a repeated name counts once for each distinct value, values sorted.
    """
    text = url + "".join([name + value for name, value in sorted(set(form))])
    # A lone surrogate is nothing Twilio can have sent: let it pass here, so that it fails to match.
    return b64encode(digest(token.encode(), text.encode("utf-8", "surrogatepass"), "sha1")).decode()


class TwilioSignature:
    """Checks `X-Twilio-Signature` against several auth tokens: during a rotation the former one still signs.

    A signature carries no time, so a copy verifies for ever: whoever acts on the request drops repetitions.
    Verifying has no effect; repeating is harmless.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        """Take one or more tokens. Raises ValueError when there is none, or an empty one (anybody could sign)."""
        if not tokens or not all(tokens):
            raise ValueError("a Twilio auth token is missing")
        self._tokens = tuple(tokens)

    def verify(self, url: str, form: Sequence[tuple[str, str]], signature: str, settings: str = "") -> bool:
        """Tell whether Twilio sent this form to `url`, which comes from configuration, never from `Host`.

        `settings` is the header `X-Twilio-Webhooks-Signature-Settings`: absent means HMAC-SHA1 with an auth
        token. Any other algorithm needs a key that we do not hold, so it is refused.
        """
        if algorithm(settings) != OURS:
            return False
        given = signature.encode("utf-8", "replace")
        if any(compare_digest(signature_of(token, url, form).encode(), given) for token in self._tokens):
            return True
        # Twilio is inconsistent about ports: it may have signed the other spelling of the same address.
        other = respelled(url)
        return any(compare_digest(signature_of(token, other, form).encode(), given) for token in self._tokens)

    def verify_json(self, url: str, body: bytes, signature: str, settings: str = "") -> bool:
        """Tell whether Twilio sent this JSON body to `url`, whose signed query holds the body's SHA-256 in hex.

        Stricter than the SDK, which accepts any body when `bodySHA256` is absent.
        """
        named = parse_qs(urlsplit(url).query).get("bodySHA256", [])
        intact = len(named) == 1 and compare_digest(
            sha256(body).hexdigest().encode(), named[0].lower().encode()
        )
        return intact and self.verify(url, (), signature, settings)


def algorithm(settings: str) -> str:
    """Return the algorithm's name from `key=…,algorithm=…`."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return OURS


def respelled(url: str) -> str:
    """Return `url` without its port, or with its scheme's default port when it names none."""
    parts = urlsplit(url)
    host, colon, port = parts.netloc.rpartition(":")
    if colon and port.isdecimal():
        return parts._replace(netloc=host).geturl()
    return parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORTS.get(parts.scheme, 443)}").geturl()
