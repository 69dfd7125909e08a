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


@pytest.mark.parametrize("text", ["a b", "a in b", "a in (b", "=a", ",", "a=b,,c", "a=b,"])
def test_a_broken_label_selector_is_refused(text: str) -> None:
    """The server answers 400."""
    with pytest.raises(UsageError, match="unable to parse requirement"):
        parse_label_selector(text)


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
