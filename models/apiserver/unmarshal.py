"""What Go's JSON decoder says of a value of the wrong type.

The real server decodes into Go structs, and its refusal names the innermost struct, the path of fields (without list
positions and map keys), and the Go type: `json: cannot unmarshal number into Go struct field ConfigMap.data of type
string`. Checked against recordings. Used by bodies.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chaoskube.models.objects.schema import property_of, struct_of

_GO_TYPES = {"string": "string", "boolean": "bool", "int32": "int32", "int64": "int64", "byte": "[]uint8"}
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def unmarshal_error(tree: Mapping[str, Any], path: str) -> str | None:
    """The decoder's words for the value at `path`; None where Go decodes with words of its own (times,
    base64)."""
    struct = struct_of(str(tree.get("apiVersion")), str(tree.get("kind")))
    found: Mapping[str, Any] = {"struct": struct}
    owner, fields = "", []
    value: Any = tree
    for step in re.findall(r"\[\d+\]|[^.\[\]]+", path):
        if step.startswith("["):
            if not isinstance(value, (list, tuple)) or "items" not in found:
                return None  # a key with brackets in it
            found, value = found["items"], value[int(step[1:-1])]
            continue
        if "values" in found:
            found = found["values"]
        else:
            owner = str(found.get("struct", ""))
            found = property_of(found.get("struct"), step)
            fields.append(step)
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    if found.get("type") == "quantity" and isinstance(value, str):
        return QUANTITY
    if found.get("type") == "byte" and isinstance(value, str):
        return None
    go_type = _go_type(found)
    if not go_type or not fields:
        return None
    where = f"{owner.rpartition('.')[2]}.{'.'.join(fields)}"
    return f"json: cannot unmarshal {json_type(value)} into Go struct field {where} of type {go_type}"


def _go_type(found: Mapping[str, Any]) -> str:
    if "struct" in found:
        return ".".join(str(found["struct"]).rsplit(".", 2)[1:])
    if "items" in found:
        inner = _go_type(found["items"])
        return f"[]{inner}" if inner else ""
    if "values" in found:
        inner = _go_type(found["values"])
        return f"map[string]{inner}" if inner else ""
    return _GO_TYPES.get(str(found.get("type")), "")


def json_type(value: object) -> str:
    """What Go's decoder calls a value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "object" if isinstance(value, Mapping) else "array"
