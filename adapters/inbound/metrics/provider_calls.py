"""Counting requests to providers where they leave, by the provider's name: an address never becomes a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from aiohttp import TraceConfig

OTHER = "other"
TOO_MANY = 429


def watching(providers: Mapping[str, str], called: Callable[[str, str, float], None]) -> TraceConfig:
    """Return what has aiohttp's session tell of each request. `providers` are names by `host` or `host:port`."""

    async def begun(_session: Any, context: SimpleNamespace, _params: Any) -> None:  # noqa: ANN401 - aiohttp's
        context.began = perf_counter()

    def told(context: SimpleNamespace, params: Any, outcome: str) -> None:  # noqa: ANN401 - aiohttp's
        url = params.url
        name = providers.get(f"{url.host}:{url.port}") or providers.get(url.host) or OTHER
        called(name, outcome, perf_counter() - context.began)

    async def ended(_session: Any, context: SimpleNamespace, params: Any) -> None:  # noqa: ANN401 - aiohttp's
        status = params.response.status
        told(context, params, str(status) if status == TOO_MANY else f"{status // 100}xx")

    async def broke(_session: Any, context: SimpleNamespace, params: Any) -> None:  # noqa: ANN401 - aiohttp's
        told(context, params, "unanswered")

    config = TraceConfig()
    config.on_request_start.append(begun)
    config.on_request_end.append(ended)
    config.on_request_exception.append(broke)
    return config
