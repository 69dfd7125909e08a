"""Structural schemas against a naive reading of them, and against what a real server said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects import decode, encode
from chaoskube.models.objects.structural import (
    pruned,
    schema_problems,
    validate,
    with_defaults,
    without_nulls,
)
from chaoskube.models.objects.structural.lists import embedded_problems, repeated_items

NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(-3, 9) | st.sampled_from([1.5, 2.0])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "x", "long text"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def _bounded(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just(kind)},
        optional={**fields, "nullable": st.booleans(), "enum": st.lists(SCALARS, min_size=1)},
    )


_LEAVES = st.one_of(
    _bounded("boolean"),
    _bounded("string", minLength=st.integers(0, 3), maxLength=st.integers(0, 5), pattern=st.just("^[a-z]*$")),
    _bounded("integer", minimum=st.integers(-2, 5), maximum=st.integers(0, 9), multipleOf=st.just(2)),
    _bounded("number", minimum=NUMBERS, exclusiveMinimum=st.booleans()),
    st.just({"x-kubernetes-int-or-string": True}),
)


def _composed(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        _bounded("array", items=inner, minItems=st.integers(0, 2), maxItems=st.integers(0, 3)),
        _bounded(
            "object",
            properties=st.dictionaries(NAMES, inner, max_size=3),
            required=st.lists(NAMES, max_size=2, unique=True),
            minProperties=st.integers(0, 1),
            maxProperties=st.integers(0, 3),
        ),
        _bounded("object", additionalProperties=inner),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2), "not": inner}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
    )


SCHEMAS = st.recursive(_LEAVES, _composed, max_leaves=6)


# ---- a naive reading


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_of(value: Any, kind: str) -> bool:
    return {
        "boolean": isinstance(value, bool),
        "string": isinstance(value, str),
        "integer": _is_number(value) and value == int(value),
        "number": _is_number(value),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }[kind]


def _equal(one: Any, two: Any) -> bool:
    return one == two and isinstance(one, bool) == isinstance(two, bool)


def naive(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value fits a schema; says nothing of why."""
    kinds = ["integer", "string"] if schema.get("x-kubernetes-int-or-string") else [schema.get("type")]
    if value is None:
        is_allowed = kinds == [None] or bool(schema.get("nullable"))
        return is_allowed and not schema.get("enum")
    if kinds != [None] and not any(_is_of(value, kind) for kind in kinds if kind):
        return False
    if schema.get("enum") and not any(_equal(value, one) for one in schema["enum"]):
        return False
    checks = [naive(value, one) for one in schema.get("allOf", [])]
    if schema.get("anyOf"):
        checks.append(any(naive(value, one) for one in schema["anyOf"]))
    if schema.get("oneOf"):
        checks.append([naive(value, one) for one in schema["oneOf"]].count(True) == 1)
    if "not" in schema:
        checks.append(not naive(value, schema["not"]))
    return all(checks) and _naive_bounds(value, schema)


def _naive_bounds(value: Any, schema: dict[str, Any]) -> bool:
    if _is_number(value):
        low = schema.get("minimum", -100)
        is_above = bool(value > low if schema.get("exclusiveMinimum") else value >= low)
        is_multiple = value % schema.get("multipleOf", 1e-9) < 1e-6
        return is_above and bool(value <= schema.get("maximum", 100)) and bool(is_multiple)
    if isinstance(value, str):
        fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 100)
        return fits and (not schema.get("pattern") or value == "".join(c for c in value if "a" <= c <= "z"))
    if isinstance(value, list):
        fits = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 100)
        return fits and all(naive(item, schema["items"]) for item in value if "items" in schema)
    if isinstance(value, dict):
        fits = schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", 100)
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        inner = [(name, known.get(name, others)) for name in value]
        return (
            fits
            and set(schema.get("required", ())) <= set(value)
            and all(naive(value[name], each) for name, each in inner if each is not None)
        )
    return True


@given(VALUES, SCHEMAS)
def test_a_value_is_refused_exactly_when_a_naive_reading_refuses_it(
    value: Any, schema: dict[str, Any]
) -> None:
    """The words can be right and the verdict wrong, so the verdict is held against another program."""
    assert (not validate(value, schema)) == naive(value, schema)


@given(VALUES, VALUES, SCHEMAS)
def test_what_did_not_change_is_never_refused(value: Any, other: Any, schema: dict[str, Any]) -> None:
    """Ratcheting: an update may keep what was stored under an older schema, but brings nothing new that is wrong."""
    assert not validate(value, schema, old=value)
    if not validate(value, schema):
        assert not validate(value, schema, old=other)


_OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)
_OBJECT_SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, SCHEMAS, max_size=3)},
    optional={"x-kubernetes-preserve-unknown-fields": st.just(True)},
)


@given(_OBJECTS, _OBJECT_SCHEMAS)
def test_pruning_keeps_what_is_known_and_says_what_it_dropped(
    tree: dict[str, Any], schema: dict[str, Any]
) -> None:
    """Doing it twice changes nothing, and nothing known at the root is lost."""
    kept, dropped = pruned(tree, schema)

    assert pruned(kept, schema) == (kept, ())
    assert set(kept) == (set(tree) if len(schema) == 3 else set(tree) & set(schema["properties"]))
    assert (kept == tree) == (not dropped)


@given(_OBJECTS, _OBJECT_SCHEMAS, st.dictionaries(NAMES, st.integers(0, 5), min_size=1))
def test_defaults_are_filled_in_once(
    tree: dict[str, Any], schema: dict[str, Any], defaults: dict[str, int]
) -> None:
    """A default stands where nothing stood, or a null that isn't allowed; what stands stays."""
    properties = {name: {"type": "integer", "default": value} for name, value in defaults.items()}
    schema = {**schema, "properties": {**schema["properties"], **properties}}
    filled = with_defaults(without_nulls(tree, schema), schema)

    assert with_defaults(filled, schema) == filled
    for name, value in defaults.items():
        assert filled[name] == (value if tree.get(name) is None else tree[name])


# ---- the words


def _said(value: Any, schema: dict[str, Any], **more: Any) -> list[str]:
    return [str(cause) for cause in validate({"spec": value}, {"properties": {"spec": schema}}, **more)]


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (0, {"minimum": 1}, "spec: Invalid value: 0: spec in body should be greater than or equal to 1"),
        (
            9,
            {"maximum": 9, "exclusiveMaximum": True},
            "spec: Invalid value: 9: spec in body should be less than 9",
        ),
        (3, {"multipleOf": 2}, "spec: Invalid value: 3: spec in body should be a multiple of 2"),
        (
            True,
            {"type": "integer"},
            'spec: Invalid value: "boolean": spec in body must be of type integer: "boolean"',
        ),
        (
            None,
            {"type": "object"},
            'spec: Invalid value: "null": spec in body must be of type object: "null"',
        ),
        ("ab", {"maxLength": 1}, "spec: Too long: may not be more than 1 bytes"),
        ("a", {"minLength": 2}, 'spec: Invalid value: "a": spec in body should be at least 2 chars long'),
        ("a", {"pattern": "^b"}, "spec: Invalid value: \"a\": spec in body should match '^b'"),
        (
            "x",
            {"type": "string", "format": "date-time"},
            'spec: Invalid value: "x": spec in body must be of type date-time: "x"',
        ),
        ([1, 2], {"maxItems": 1}, "spec: Too many: 2: must have at most 1 item"),
        ([], {"minItems": 1}, "spec: Invalid value: 0: spec in body should have at least 1 items"),
        ({}, {"required": ["size"]}, "spec.size: Required value"),
        (
            [{"a": 0}],
            {"items": {"properties": {"a": {"enum": [1]}}}},
            'spec[0].a: Unsupported value: 0: supported values: "1"',
        ),
        (
            5,
            {"not": {"type": "integer"}},
            '<nil>: Invalid value: "": "spec" must not validate the schema (not)',
        ),
        (
            2**31,
            {"type": "integer", "format": "int32"},
            '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec',
        ),
    ],
)
def test_a_refusal_has_the_words_of_the_real_validator(
    value: Any, schema: dict[str, Any], expected: str
) -> None:
    """k8s.io/kube-openapi/pkg/validation/errors/schema.go."""
    assert _said(value, schema) == [expected]


def test_the_nearest_of_several_schemas_is_told() -> None:
    """`anyOf` says that none fits, and what the one that fits best had to say."""
    schema = {"anyOf": [{"required": ["x"]}, {"properties": {"a": {"minimum": 5}}}]}

    assert _said({"a": 1}, schema) == [
        '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
        "spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 5",
    ]


def test_items_of_a_map_correspond_by_their_keys() -> None:
    """A list that is a map may be reordered without being checked anew."""
    schema = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "properties": {"size": {"type": "integer", "maximum": 3}}},
    }
    old = [{"name": "a", "size": 9}, {"name": "b", "size": 1}]
    new = [{"name": "b", "size": 1}, {"name": "a", "size": 9}]

    assert not validate(new, schema, old=old)
    assert validate([{"name": "c", "size": 9}], schema, old=old)


def test_a_set_and_a_map_hold_each_item_once() -> None:
    """apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go: the second of equals is named."""
    a_set = {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}}
    a_map = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": {},
    }
    schema = {"properties": {"set": a_set, "map": a_map}}

    said = [
        str(one) for one in repeated_items({"set": [1, 2, 1, 1], "map": [{"k": 1}, {"k": 1, "v": 2}]}, schema)
    ]

    assert said == ['map[1]: Duplicate value: {"k":1}', "set[2]: Duplicate value: 1"]


def test_an_embedded_resource_says_what_it_is() -> None:
    """apiVersion and kind are required of what is embedded, and survive pruning."""
    schema = {
        "properties": {
            "template": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}}
        }
    }
    tree = {"template": {"kind": "Pod", "metadata": {"name": "x"}, "junk": 1}}

    assert pruned(tree, schema) == (
        {"template": {"kind": "Pod", "metadata": {"name": "x"}}},
        ("template.junk",),
    )
    assert [str(one) for one in embedded_problems(tree, schema)] == ["template.apiVersion: Required value"]


# ---- schemas themselves


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "s.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 's.type: Invalid value: "string": must be object at the root'),
        (
            {"type": "object", "properties": {"a": {}}},
            "s.properties[a].type: Required value: must not be empty for specified object fields",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "array"}}},
            "s.properties[a].items: Required value: must be specified",
        ),
        (
            {"type": "object", "allOf": [{"type": "object"}]},
            "s.allOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            {"type": "object", "anyOf": [{"properties": {"b": {"minimum": 1}}}]},
            "s.properties[b]: Required value: because it is defined in s.anyOf[0].properties[b]",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "default": 1}}},
            "s.properties[a].default: Invalid value: 1:  in body should be greater than or equal to 3",
        ),
    ],
)
def test_a_schema_that_is_not_structural_is_refused(schema: dict[str, Any], expected: str) -> None:
    """apiextensions-apiserver/pkg/apiserver/schema/validation.go."""
    assert [str(one) for one in schema_problems(schema, "s")] == [expected]


def test_int_or_string_is_structural_both_ways() -> None:
    """The two patterns that generators write."""
    either = [{"type": "integer"}, {"type": "string"}]
    plain = {"x-kubernetes-int-or-string": True, "anyOf": either}
    bounded = {"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": either}, {"maxLength": 3}]}

    assert not schema_problems({"type": "object", "properties": {"a": plain, "b": bounded}}, "s")


def test_a_null_among_schemas_is_an_empty_one() -> None:
    """As Go decodes it; a null that is a value (a default) stays."""
    schema = {
        "type": "object",
        "default": None,
        "properties": {"x": None, "parts": {"items": {"allOf": [None], "properties": {"name": None}}}},
    }
    definition = decode(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "tills.shop.example"},
            "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]},
        }
    )

    found = encode(definition)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    assert found == {
        "type": "object",
        "default": None,
        "properties": {"x": {}, "parts": {"items": {"allOf": [{}], "properties": {"name": {}}}}},
    }
