"""An example of everything that comes in or goes out: composed from the schemas, so it has just the fields they have.

All of them tell one life: Ada's, whose line was called once from a number that is nobody's (555-01xx).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import NAMESPACE_URL, uuid5

from adapters.inbound.http.reply import JSON_TYPE, Json

NOON = "2026-01-05T12:00:00Z"
PEER = "+13105550178"
VALUES: Mapping[str, object] = MappingProxyType({
    "absence": None,
    "account_number": "8471920",
    "advance": "PT1H",
    "amount": 115,
    "area_code": "202",
    "attachments": 0,
    "body": "See you at noon.",
    "capabilities": ["sms", "voice"],
    "cancel_asked_at": None,
    "city": "San Francisco",
    "clause": "T5",
    "evidence": None,
    "lang": "he",
    "language": "en",
    "policy_version": 3,
    "proofs": [],
    "sentence": "Sessions that were revoked or have expired are kept for 90 days.",
    "updated_on": "2026-11-29",
    "client_reference": "order-1742",
    "contains": "0143",
    "characters": 16,
    "characters_at_most": 1600,
    "conversations": 1,
    "countries": None,
    "country": "US",
    "currency": "USD",
    "device_token": "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "direction": "outbound",
    "display_name": "Ada",
    "ends": "07:00",
    "duration": 12,
    "email": "ada@example.org",
    "answer": "2xx",
    "failing_since": None,
    "former_secret_until": None,
    "kinds": ["message.received"],
    "ended_at": "2026-01-05T12:01:00Z",
    "encoding": "gsm_7",
    "end_in_store": None,
    "ends_at": None,
    "erase_at": "2026-02-04T12:00:00Z",
    "expires_at": "2026-01-06T12:00:00Z",
    "failure": None,
    "forward_to": None,
    "forward_when": [],
    "former_token": "pico_s1_7Xy0cJ8yTn2LwPz7RbVhU1mGdEaFq3sXk0v5cJ8yTn2LwPz7RbVhU1",
    "from": PEER,
    "grace_ends_at": None,
    "identity": "line_" + "q3wk7hq2mzt5n4xr" * 4 + "q3wk7hq2mzt5n",
    "Idempotency-Key": "2f1d7c1e",
    "If-Match": '"1"',
    "label": "Work",
    "Last-Event-ID": "AAAAAAAAACpmrXK6QJ5vXg",
    "limit": 50,
    "lines": 1,
    "lines_at_most": 5,
    "locale": "en",
    "messages": 2,
    "name": "Noa Cohen",
    "new_password": "correct horse battery staple",
    "next_cursor": None,
    "note": "Met in Haifa.",
    "restriction": None,
    "unreachable_by_mail": None,
    "number": "+12025550143",
    "numbers": [PEER],
    "opted_out_at": None,
    "partial": False,
    "password": "correct horse battery staple",
    "peer": PEER,
    "Range": "bytes=0-1023",
    "page_ends_at": "2026-01-06T12:00:00Z",
    "period_ends_at": "2026-02-04T12:00:00Z",
    "pin": "4711",
    "port_at": None,
    "postal_code": "94105",
    "picture": "52.52 N, 13.40 E",
    "plan": "plus",
    "privacy_to_accept": None,
    "privacy_version": 3,
    "ref": "SM5f0c2a9e7d3b48c6a1e4f7b2c9d80e63",
    "region": "California",
    "rejection": None,
    "release_at": None,
    "released_at": None,
    "refusal": None,
    "rows_done": 12,
    "rows_total": 12,
    "segments": 1,
    "send_at": None,
    "seconds": 0,
    "signer_email": "ada@example.org",
    "signer_name": "Ada Levi",
    "street": "101 Spear Street",
    "subscriber_name": "Ada Levi",
    "size": 46,
    "starts": "22:00",
    "terms_to_accept": None,
    "terms_version": 1,
    "time_zone": "Asia/Jerusalem",
    "to": PEER,
    "token": "Fq3sXk0v5cJ8yTn2LwPz7RbVhU1mGdEa",
    "total": 2,
    "units": 16,
    "voicemail": "Please call me back.",
    "units_left": 144,
    "transcript": "Hi, it is Noa. Please call me back.",
    "words": "This is Ada. Please leave a message.",
    "unread": 1,
    "waive_recovery": False,
})  # fmt: skip
"""By the name of a field or parameter, where a value does not follow from its type.

A field of another meaning, or a whole body, says so beside its type: `Field(examples=[…])`, `Examples([…])`.
"""


KINDS: Mapping[str, object] = MappingProxyType(
    {"date-time": NOON, "boolean": True, "null": None, "object": {}}
)


def illustrate(document: Json) -> None:
    """Give each parameter, each JSON body and each JSON answer of an OpenAPI document its example.

    A parameter that may be left out has it in its schema only, lest the browser page send it unasked. Raises
    LookupError for a value of which there is none.
    """
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                value = example(parameter["schema"], schemas, parameter["name"])
                if parameter["required"]:
                    parameter["example"] = value
                else:
                    parameter["schema"] = parameter["schema"] | {"examples": [value]}
            bodies = (operation.get("requestBody", {}), *operation["responses"].values())
            for content in (body.get("content", {}).get(JSON_TYPE) for body in bodies):
                if content is not None:
                    content["example"] = example(content["schema"], schemas)


def example(schema: Json, schemas: Mapping[str, Json], name: str = "") -> object:
    """Compose a value of a schema, given those that it refers to. Raises LookupError."""
    if "examples" in schema:
        return schema["examples"][0]
    if name in VALUES:
        return VALUES[name]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    if "properties" in schema:
        return {field: example(of, schemas, field) for field, of in schema["properties"].items()}
    if "items" in schema:
        return [example(schema["items"], schemas, name)]
    return example(schema["anyOf"][0], schemas, name) if "anyOf" in schema else _plain_example(schema, name)


def _plain_example(schema: Json, name: str) -> object:
    if "enum" in schema or "const" in schema:
        return schema["enum"][0] if "enum" in schema else schema["const"]
    kind = schema.get("format") or schema.get("type", "")
    if kind == "uuid":
        return str(uuid5(NAMESPACE_URL, name))
    if kind not in KINDS:
        raise LookupError(f"{name}: give an example of it in examples.VALUES, or beside its type")
    return KINDS[kind]
