"""Apple's and Google's stores: each takes our key, over TLS. It is asked for a purchase that nobody made."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from application.ports.store_purchases import AppStoreRefused
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from bootstrap.settings import ProductionSettings
from bootstrap.stores import StoreAccess
from domain.billing import PurchaseToken, Seller

NO_PURCHASE = "2000000000000000"
"""What neither store calls a purchase: whoever accepts us says that it knows none such."""


def _stores(examined: Examined) -> StoreAccess:
    settings = examined.settings
    if not isinstance(settings, ProductionSettings):
        return StoreAccess()
    return settings.stores(settings.public_url)


def _part(
    name: str, seller: Seller, whose: str, clauses: tuple[str, ...], access: Callable[[StoreAccess], object]
) -> Part[bool]:
    async def accepted(examined: Examined) -> bool:
        """Tell whether the store takes our key. Raises AppStoreUnavailable."""
        store = _stores(examined).opened(examined.session, examined.now)
        try:
            await store.fetch(PurchaseToken.of(seller, NO_PURCHASE))
        except AppStoreRefused:
            return False
        return True

    def wrong(taken: bool) -> str | None:  # noqa: FBT001 - the facts
        return unless(
            taken, f"{whose} refuses our questions: the key, its id, the app or what it may do is another."
        )

    check = Check("credentials", clauses, f"{whose} says how purchases stand.", wrong)
    return Part(
        name=name,
        read=accepted,
        configured=lambda examined: access(_stores(examined)) is not None,
        checks=(check,),
    )


async def _addresses(examined: Examined) -> list[str]:
    stores, found = _stores(examined), list[str]()
    if stores.apple is not None:
        found.append(stores.apple.api_url)
    if stores.google is not None:
        found += [stores.google.api_url, stores.google.keys_url, stores.google.account.token_url]
    return found


def _open(addresses: list[str]) -> str | None:
    """Say which addresses are not reached over TLS; one on this very machine leaves it by no wire."""
    found = [each for each in addresses if urlsplit(each).scheme != "https" and not _is_here(each)]
    return unless(not found, f"{len(found)} of the stores' addresses are not https.")


def _is_here(address: str) -> bool:
    try:
        return ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False


APP_STORE = _part("app-store", Seller.APP_STORE, "Apple", ("S8", "H104"), lambda stores: stores.apple)
GOOGLE_PLAY = _part("google-play", Seller.PLAY_STORE, "Google", ("S9", "H105"), lambda stores: stores.google)
TLS = Part(
    name="stores",
    read=_addresses,
    configured=lambda examined: _stores(examined) != StoreAccess(),
    checks=(Check("tls", ("H104", "H105"), "App stores are asked over TLS.", _open),),
)
