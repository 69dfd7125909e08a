"""The type of custom objects: what their schema says of ownership."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects import freeze
from chaoskube.models.objects.managed.comparing import check_shape, fields_of
from chaoskube.models.objects.managed.field_set import path_text
from chaoskube.models.objects.managed.shapes import ShapeError
from chaoskube.models.objects.managed.structural import type_of_custom

SCHEMA = freeze(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer"},
                    "port": {"x-kubernetes-int-or-string": True},
                    "users": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                    },
                    "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                    "plain": {"type": "array", "items": {"type": "string"}},
                    "whole": {
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "additionalProperties": {"type": "string"},
                    },
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        },
    }
)


def test_lists_and_maps_are_owned_as_the_schema_says() -> None:
    """x-kubernetes-list-type and -map-type, as for built-in kinds."""
    tree: dict[str, Any] = {
        "metadata": {"labels": {"a": "1"}},
        "spec": {
            "size": 1,
            "port": "http",
            "users": [{"name": "u"}],
            "tags": ["t"],
            "plain": ["p"],
            "whole": {"a": "b"},
            "free": {"deep": {"er": [1]}},
        },
    }
    found = type_of_custom(SCHEMA)

    check_shape(tree, found)

    assert sorted(path_text(path) for path in fields_of(tree, found).paths()) == [
        ".metadata.labels.a",
        ".spec.free.deep",
        ".spec.free.deep.er",
        ".spec.plain",
        ".spec.port",
        ".spec.size",
        '.spec.tags[="t"]',
        '.spec.users[name="u"]',
        '.spec.users[name="u"].name',
        ".spec.whole",
    ]


def test_what_the_schema_does_not_know_is_refused() -> None:
    """An apply configuration may hold only what is declared."""
    with pytest.raises(ShapeError, match=r"\.spec\.nope: field not declared in schema"):
        check_shape({"spec": {"nope": 1}}, type_of_custom(SCHEMA))
