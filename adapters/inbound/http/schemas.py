"""JSON Schemas of everything that comes in or goes out, from request models and handlers' annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import core_schema

from adapters.inbound.http.reply import Answer, Json, Media
from adapters.inbound.http.route import Route

REF = "#/components/schemas/{model}"


class Schemas(GenerateJsonSchema):
    """JSON Schema as pydantic writes it, without field titles, and without `default: null` where null is refused."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Leave a field's name to say what it says."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        """Leave a field that may be left out without a default in the document."""
        described = super().default_schema(schema)
        if described.get("default") is None:
            described.pop("default", None)
        return described

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> Json:
        """Say of a response that it holds nothing else."""
        return {**super().typed_dict_schema(schema), "additionalProperties": False}


def answered(route: Route[Any]) -> Any:  # noqa: ANN401 - a type, as its handler is annotated
    """Return the type of a route's answer: a TypedDict or dict for JSON, Media for a download, None for no body.

    An answer made by hand has no schema: `schemas` refuses it, so that only hidden routes can give one.
    """
    return _returned_by(route.handler)


def in_ranges(route: Route[Any]) -> bool:
    """Tell whether a route answers a download of which ranges of bytes can be had."""
    answer = answered(route)
    return isinstance(answer, Media) and answer.ranges


@cache
def _returned_by(handler: Callable[..., Any]) -> Any:  # noqa: ANN401 - as above
    found = get_type_hints(handler, include_extras=True)["return"]
    if get_origin(found) is Answer:
        (found,) = get_args(found)
    if get_origin(found) is Annotated:
        found = next((extra for extra in get_args(found) if isinstance(extra, Media)), found)
    return None if found is NoneType else found


def schemas(routes: Iterable[Route[Any]]) -> tuple[Mapping[Any, Json], Json]:
    """Describe every type that the routes take or give: a schema by type, and the components they refer to."""
    modes: dict[Any, JsonSchemaMode] = {}
    for route in routes:
        if route.body is not None:
            modes[route.body] = "validation"
        answer = answered(route)
        if isinstance(answer, Media):
            answer = answer.content
        if answer is not None:
            modes[answer] = "serialization"
    described, made = TypeAdapter.json_schemas(
        [(kind, mode, TypeAdapter(kind)) for kind, mode in modes.items()],
        ref_template=REF,
        schema_generator=Schemas,
    )
    return {kind: schema for (kind, _), schema in described.items()}, made.get("$defs", {})
