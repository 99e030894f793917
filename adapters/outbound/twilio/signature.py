"""How Twilio signs its webhooks (Twilio: webhooks security). The simulator signs so; whoever receives them verifies."""

from base64 import b64encode
from collections.abc import Iterable
from hmac import digest


def sign(token: str, url: str, form: Iterable[tuple[str, str]] = ()) -> str:
    """Return the signature of a request to `url` (without its fragment) with the decoded `form` pairs.

    Names are sorted by code point; a repeated name counts once for each distinct value, values sorted.
    """
    signed = url + "".join([name + value for name, value in sorted(set(form))])
    return b64encode(digest(token.encode(), signed.encode(), "sha1")).decode()
