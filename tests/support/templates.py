"""The templates of `deploy/aws` as data, with short forms written out and functions resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "aws"
ORDER = ("network", "keys", "objects", "data", "roles", "compute", "alarms")
"""In which they are deployed: each imports what those before it export."""
REGION, ACCOUNT = "us-east-1", "123456789012"


def template(part: str) -> dict[str, Any]:
    """Read one template."""
    read, problems = decode(str(FOLDER / f"{part}.yaml"))
    assert read is not None, problems
    return plain(read)


def plain(value: Any) -> Any:
    """Copy what a linter read into the built-in types."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, str) else value


def of_type(part: str, kind: str) -> dict[str, Any]:
    """Return the properties of every resource of one type in a template, by logical id."""
    found = template(part)["Resources"].items()
    return {name: each.get("Properties", {}) for name, each in found if each["Type"] == kind}


def resolved(value: Any, refs: Mapping[str, Any], exports: Mapping[str, str]) -> Any:  # noqa: PLR0911 - one a function
    """Resolve what CloudFormation would: `refs` by logical id, or by `id.attribute`; exports by name."""
    if isinstance(value, list):
        return [each for each in (resolved(one, refs, exports) for one in value) if each is not None]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": name}:
            return refs[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return refs[f"{name}.{attribute}"]
        case {"Fn::ImportValue": name}:
            return exports[resolved(name, refs, exports)]
        case {"Fn::Sub": [text, more]}:
            return _sub(text, {**refs, **resolved(more, refs, exports)})
        case {"Fn::Sub": text}:
            return _sub(text, refs)
        case {"Fn::If": [condition, so, otherwise]}:
            return resolved(so if refs[f"condition {condition}"] else otherwise, refs, exports)
    return {key: resolved(each, refs, exports) for key, each in value.items()}


def _sub(text: str, refs: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{([\w.:]+)\}", lambda found: str(refs[found[1]]), text)
