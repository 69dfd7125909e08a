"""Selectors by object and by text."""

from __future__ import annotations

import pytest

from chaoskube.models.objects import (
    FrozenDict,
    LabelSelector,
    LabelSelectorRequirement,
    matches,
    matches_fields,
    parse_field_selector,
    parse_label_selector,
)
from chaoskube.sim import UsageError


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("", [{}, {"a": "b"}], []),
        ("a=b", [{"a": "b"}], [{}, {"a": "c"}]),
        ("a==b,c!=d", [{"a": "b"}, {"a": "b", "c": "e"}], [{"a": "b", "c": "d"}]),
        ("a in (b, c)", [{"a": "c"}], [{"a": "d"}, {}]),
        ("a notin (b)", [{}, {"a": "c"}], [{"a": "b"}]),
        ("a,!b", [{"a": ""}], [{"a": "", "b": ""}, {}]),
        ("a=", [{"a": ""}], [{"a": "b"}, {}]),
        ("x.y/z > 3", [{"x.y/z": "4"}], [{"x.y/z": "3"}, {"x.y/z": "q"}, {}]),
    ],
)
def test_label_selectors_match(text: str, yes: list[dict[str, str]], no: list[dict[str, str]]) -> None:
    """labels/selector.go."""
    selector = parse_label_selector(text)

    assert [labels for labels in yes if not selector.matches(labels)] == []
    assert [labels for labels in no if selector.matches(labels)] == []
    assert parse_label_selector(str(selector)).matches(yes[0])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!a in (b)", "found 'in', expected: ',' or 'end of string'"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a=b,,c", "found ',', expected: identifier after ','"),
        ("a=b,", "found '', expected: identifier after ','"),
        (
            "a > b",
            (
                'unable to parse requirement: values[0]: Invalid value: "b": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ),
        ),
    ],
)
def test_a_broken_label_selector_is_refused(text: str, problem: str) -> None:
    """The server answers 400, with what its parser (labels/selector.go) found and expected."""
    with pytest.raises(UsageError) as raised:
        parse_label_selector(text)

    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (
            "a_/b=c",
            'unable to parse requirement: <nil>: Invalid value: "a_/b": prefix part a lowercase RFC 1123',
        ),
        (
            "a=-",
            'unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be an empty',
        ),
    ],
)
def test_keys_and_values_of_a_label_selector_are_checked(text: str, begins: str) -> None:
    """What no label can be is no selector."""
    with pytest.raises(UsageError) as raised:
        parse_label_selector(text)

    assert str(raised.value).startswith(begins)


def test_words_are_operators_only_where_one_must_stand() -> None:
    """`in` is a good key and a good value."""
    selector = parse_label_selector("in in (notin,in),notin=in,a in (),b in (,c)")

    assert selector.matches({"in": "notin", "notin": "in", "a": "", "b": "c"})
    assert not selector.matches({"in": "x", "notin": "in", "a": "", "b": "c"})


def test_an_absent_selector_selects_nothing_and_an_empty_one_all() -> None:
    """meta/v1/helpers.go LabelSelectorAsSelector."""
    expression = LabelSelectorRequirement(key="tier", operator="NotIn", values=("db",))
    selector = LabelSelector(match_labels=FrozenDict({"app": "a"}), match_expressions=(expression,))

    assert not matches(None, {"app": "a"})
    assert matches(LabelSelector(), {"app": "a"})
    assert matches(selector, {"app": "a", "tier": "web"})
    assert not matches(selector, {"app": "a", "tier": "db"})
    assert matches({"app": "a"}, {"app": "a", "x": "y"})


def test_field_selectors_match() -> None:
    """fields/selector.go."""
    requirements = parse_field_selector("spec.nodeName=node-1,status.phase!=Failed,metadata.name==a")

    assert matches_fields(
        requirements, {"spec.nodeName": "node-1", "status.phase": "Running", "metadata.name": "a"}
    )
    assert not matches_fields(
        requirements, {"spec.nodeName": "node-1", "status.phase": "Failed", "metadata.name": "a"}
    )
    assert matches_fields(parse_field_selector("spec.nodeName="), {})
    with pytest.raises(UsageError, match="can't understand 'x'"):
        parse_field_selector("x")
