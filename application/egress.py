"""What of a person may leave: each port to the outside, and the kinds of personal text that it may be handed.

The rule is held where the product is put together: a port that asks for more than stands here cannot be wired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from inspect import isfunction, signature
from typing import Any, get_args, get_type_hints

from application.ports.kms import Kms
from application.ports.mail import Mail
from application.ports.message_carrier import MessageCarrier
from application.ports.numbers import NumberProvider
from application.ports.payments import Payments
from application.ports.porting import Porting
from application.ports.push import Push
from application.ports.recordings import Recordings
from application.ports.store_purchases import StorePurchases
from application.ports.transcriber import Transcriber
from application.ports.voice_carrier import VoiceCarrier
from application.ports.webhook_receivers import WebhookReceivers
from domain.billing import BuyerToken, PayerRef, PurchaseToken
from domain.porting import PortDetails
from domain.push import DeviceToken
from domain.values import Email, Locale, MessageBody, Peer, PersonalText, PhoneNumber
from domain.webhook_endpoints import WebhookUrl

MAY_RECEIVE: Mapping[type, frozenset[type[PersonalText]]] = {
    Mail: frozenset({Email, Locale}),
    Push: frozenset({DeviceToken}),
    StorePurchases: frozenset({BuyerToken, PurchaseToken}),
    MessageCarrier: frozenset({PhoneNumber, Peer, MessageBody}),
    NumberProvider: frozenset({PhoneNumber}),
    Porting: frozenset({PhoneNumber, PortDetails}),
    VoiceCarrier: frozenset({PhoneNumber}),
    Recordings: frozenset(),
    Transcriber: frozenset({Locale}),
    Payments: frozenset({PayerRef}),
    Kms: frozenset(),
    WebhookReceivers: frozenset({WebhookUrl}),
}
"""Every port behind which somebody else's service stands. Whoever adds a kind of text to one says so here."""


PLAIN: Mapping[type, frozenset[str]] = {
    Mail: frozenset({"link_token"}),
    MessageCarrier: frozenset({"media"}),
    NumberProvider: frozenset({"area_code", "contains"}),
    Kms: frozenset({"context", "key_id", "wrapped"}),
    WebhookReceivers: frozenset({"call"}),
}
"""Parameters that are any text: tokens, signatures, addresses, digits and names that we made, or that are searched."""


class MustNotLeave(TypeError):
    """A port to the outside asks for text that it may not be handed; the message names port, parameter and type."""


def must_keep_to(allowed: Mapping[type, frozenset[type[PersonalText]]] = MAY_RECEIVE) -> None:
    """Raise MustNotLeave for the first port that asks for what it may not receive.

    A parameter that takes any text takes a message's, too: it is refused unless it stands in `PLAIN`.
    """
    for port, may in allowed.items():
        for name, parameter, text in asked_of(port):
            known = parameter in PLAIN.get(port, ()) if text is str else issubclass(text, tuple(may))
            if not known:
                raise MustNotLeave(f"{port.__name__}.{name}: {parameter} may not be a {text.__name__}")


def asked_of(port: type) -> Iterator[tuple[str, str, type[str]]]:
    """Yield method, parameter and kind of all text that a port is handed; what it answers does not count."""
    for name, method in vars(port).items():
        if isfunction(method) and not name.startswith("__"):
            hints = get_type_hints(method)
            for parameter in signature(method).parameters:
                for text in held_in(hints.get(parameter)):
                    yield name, parameter, text


def held_in(hint: Any, within: tuple[Any, ...] = ()) -> Iterator[type[str]]:  # noqa: ANN401 - an annotation
    """Yield the text that a value of a type may hold: in a union, a collection or a dataclass, too.

    An id, a reference or a word of a closed set is none.
    """
    if hint in within:
        return
    for argument in get_args(hint):
        yield from held_in(argument, (*within, hint))
    if isinstance(hint, type) and (hint is str or issubclass(hint, PersonalText)):
        yield hint
    elif isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        for field in fields(hint):
            yield from held_in(hints[field.name], (*within, hint))
