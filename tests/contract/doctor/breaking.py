"""Ways to break one thing, and to mend it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import boto3

from tests.contract.doctor.conftest import Standing

Break = Callable[[Standing], AbstractAsyncContextManager[None]]


def held(of: Callable[[], Any], name: str, value: Any) -> Break:
    """Change one thing that moto holds, where a call of AWS's would not."""

    @asynccontextmanager
    async def broken(standing: Standing) -> AsyncIterator[None]:
        thing = of()
        before = getattr(thing, name)
        setattr(thing, name, value)
        try:
            yield
        finally:
            setattr(thing, name, before)

    return broken


def asked(
    service: str, operation: str, broken: dict[str, Any], mended: dict[str, Any], **about: str
) -> Break:
    """Break something by one call, and mend it by the same with other words."""

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        call = getattr(standing.cloud.client(service), operation)
        call(**about, **broken)
        try:
            yield
        finally:
            call(**about, **mended)

    return act


def answered(service: str, operation: str, change: Callable[[dict[str, Any]], None], **about: str) -> Break:
    """Have AWS answer otherwise `about` something, where moto can hold no such thing."""

    def noted(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["is meant"] = about.items() <= params.items()

    def altered(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if context["is meant"]:
            change(parsed)

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        boto3.setup_default_session()
        events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
        events.register(f"provide-client-params.{service}.{operation}", noted)
        events.register(f"after-call.{service}.{operation}", altered)
        try:
            yield
        finally:
            boto3.setup_default_session()

    return act


def sql(of: str, broken: str, mended: str) -> Break:
    """Break a database as its owner, and mend it."""

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        url = getattr(standing.databases, of)
        await standing.sql(url, broken)
        try:
            yield
        finally:
            await standing.sql(url, mended)

    return act


def setting(of: str, role: str, name: str, value: str) -> Break:
    """Have a database's role be served with another setting."""
    return sql(of, f"ALTER ROLE {role} SET {name} = {value}", f"ALTER ROLE {role} RESET {name}")


def configured(change: Callable[[Standing], dict[str, Any]]) -> Break:
    """Have Pico configured otherwise."""

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        standing.but(**change(standing))
        yield

    return act


def done(what: Callable[[Standing], None]) -> Break:
    """Do something to what is made anew for each test."""

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        what(standing)
        yield

    return act


def both(*breaks: Break) -> Break:
    """Break several things that are one posture together."""

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for each in breaks:
                await stack.enter_async_context(each(standing))
            yield

    return act
