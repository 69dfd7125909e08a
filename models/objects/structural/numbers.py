"""Bounds of numbers in a schema, with the real words; and numbers as Go prints them.

Source: k8s.io/kube-openapi/pkg/validation/validate/{validator,values}.go.

Called by validation.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from chaoskube.models.objects.causes import Cause, invalid

INT32 = 2**31
INT64 = 2**63
FLOAT32_MAX = 3.4028234663852886e38


def number_findings(value: float, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What a schema says of a number."""
    yield from _range(value, schema, path)
    factor, most, least = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
    if factor is not None and not _is_multiple(value, factor):
        yield _refused(value, path, f"should be a multiple of {number_text(factor)}")
    if most is not None and (value >= most if schema.get("exclusiveMaximum") else value > most):
        word = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield _refused(value, path, f"should be {word} {_bound_text(value, most)}")
    if least is not None and (value <= least if schema.get("exclusiveMinimum") else value < least):
        word = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield _refused(value, path, f"should be {word} {_bound_text(value, least)}")


def number_text(value: object) -> str:
    """A number as Go's %v has it: 1 for 1.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return json.dumps(value)


def _bound_text(value: float, bound: float) -> str:
    return str(int(bound)) if isinstance(value, int) else number_text(bound)


def _refused(value: float, path: str, message: str) -> Cause:
    return invalid(path.removeprefix(".") or "<nil>", value, f"{path} in body {message}")


def _range(value: float, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    kind, name = schema.get("type"), schema.get("format")
    if kind == "integer":
        limit = INT32 if name == "int32" else INT64
        is_wrong = not float(value).is_integer() or not -limit <= value < limit
    else:
        is_wrong = kind == "number" and name == "float" and abs(value) > FLOAT32_MAX
    if is_wrong:
        known = name in ("int32", "int64", "float", "double")
        what = f"with format {name} in" if known else "(default format) in"
        yield invalid("<nil>", "", f"Checked value must be of type {kind} {what} {path}")


def _is_multiple(value: float, factor: float) -> bool:
    if isinstance(value, int) and float(factor).is_integer():
        return value % int(factor) == 0
    ratio = value * (1 / factor) if factor < 1 else value / factor
    return math.isclose(ratio, round(ratio), rel_tol=1e-9, abs_tol=1e-9)
