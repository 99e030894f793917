"""What goes over the wire, held against a reduction of Stripe's own contract (see its README)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator

from adapters.outbound.stripe.simulator.forms import nested
from tests.support.provider_files import specification

OUTSIDE = frozenset({("POST", "/v1/invoices/{invoice}")})
"""Requests that Stripe takes and the reduction leaves out."""


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = specification("stripe.subset.json")
    return found


def operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """Return the operation that a request is; None for one that the reduction leaves out."""
    for template, methods in document()["paths"].items():
        fits = re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in methods
        if fits and ("{" not in template or path not in document()["paths"]):
            found: dict[str, Any] = methods[method.lower()]
            return template, found
    return None


def validator(schema: dict[str, Any]) -> Any:
    return OAS30Validator({**schema, "components": document()["components"]})


def check_form(schema: dict[str, Any], form: dict[str, Any], where: str = "") -> None:
    """Require that each field sent is one that Stripe knows there, and its value one that Stripe takes."""
    known = schema.get("properties", {})
    for name, value in form.items():
        assert name in known or "additionalProperties" in schema, f"{where}{name} is no field of Stripe's"
        check_value(known.get(name, {}), value, f"{where}{name}.")


def check_value(schema: dict[str, Any], value: Any, where: str) -> None:
    arms = schema.get("anyOf", [schema])
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        (array,) = (arm for arm in arms if arm.get("type") == "array")
        for item in value.values():
            check_value(array["items"], item, where)
    elif isinstance(value, dict):
        objects = [arm for arm in arms if arm.get("type") == "object"]
        assert objects, f"{where} is no object of Stripe's"
        check_form(objects[0], value, where)
    else:
        words = [arm["enum"] for arm in arms if "enum" in arm]
        assert not words or any(value in each for each in words) or len(words) < len(arms), (
            f"{where}: {value}"
        )


def check(method: str, path: str, sent: str, status: int, answer: Any) -> bool:
    """Hold one exchange against the contract; tell whether the contract speaks of it."""
    found = operation(method, path)
    if found is None:
        shape = re.sub(r"/in_\w+", "/{invoice}", path)
        assert (method, shape) in OUTSIDE, f"{method} {path} is not in Stripe's contract"
        return False
    _, described = found
    form = nested(sent)
    if method == "POST":
        body = described["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        check_form(body, form)
        missing = set(body.get("required", ())) - form.keys()
        assert not missing, f"{path} lacks {missing}"
    else:
        known = {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}
        assert form.keys() <= known, f"{path} takes no {form.keys() - known}"
    responses = described["responses"]
    kind = responses.get(str(status), responses["default"])["content"]["application/json"]["schema"]
    if isinstance(answer, dict) and answer.get(
        "deleted"
    ):  # what is left of a customer, of which it says nothing here
        kind = {"$ref": "#/components/schemas/deleted_customer"}
    errors = [error.message for error in validator(kind).iter_errors(answer)]
    assert errors == [], f"{method} {path}: {errors[:3]}"
    return True
