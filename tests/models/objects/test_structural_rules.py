"""x-kubernetes-validations: the small interpreter of CEL, and what broken rules say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects.structural import broken_rules
from chaoskube.models.objects.structural.cel import CelError, NotModelled, evaluate, parse

SELF: dict[str, Any] = {
    "replicas": 3,
    "names": ["a", "b"],
    "zones": {"a": {"size": 1}, "b": {"size": 5}},
    "ratio": 0.5,
    "text": "Hello",
    "x-y": 1,
}


def value_of(expression: str, **more: object) -> object:
    """The value of an expression about SELF."""
    return evaluate(parse(expression), {"self": SELF, **more})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("self.replicas <= 3 && self.replicas > 2", True),
        ("1 + 2 * 3 - -4", 11),
        ("(1 + 2) * 3 % 4", 1),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7.0 / 2.0", 3.5),
        ("self.replicas == 3.0", True),
        ("self.replicas > 2.5", True),
        ("true == 1", False),
        ("has(self.replicas) && !has(self.nothing)", True),
        ("has(self.nothing) ? self.nothing : 'none'", "none"),
        ("'a' in self.names && 'c' in self.zones == false", True),
        ("self.names[1]", "b"),
        ("self.zones['b'].size", 5),
        ("self.zones.all(z, self.zones[z].size < 6)", True),
        ("self.zones.exists_one(z, self.zones[z].size == 5)", True),
        ("self.zones.all(key, value, value.size > 0)", True),
        ("self.names.exists(n, n == 'b')", True),
        ("self.names.map(n, n + '!')", ["a!", "b!"]),
        ("[1, 2, 3].map(n, n > 1, n * 2)", [4, 6]),
        ("[1, 2, 3].filter(n, n != 2)", [1, 3]),
        ("size(self.names) == self.names.size()", True),
        ("self.text.startsWith('He') && self.text.endsWith(\"lo\") && self.text.contains('ll')", True),
        ("self.text.matches('^[A-Z][a-z]+$')", True),
        ("self.text.lowerAscii().split('l')", ["he", "", "o"]),
        ("'%d'.size() + 'a\\n'.size()", 4),
        ("r'\\n'.size()", 2),
        ("int('12') + int(2.9)", 14),
        ("string(1) + string(true)", "1true"),
        ("{'a': 1}.a", 1),
        ("self.x__dash__y", 1),
        ("[3, 1].min() + [3, 1].max() + [3, 1].sum()", 8),
        ("[1, 2].isSorted() && ![2, 1].isSorted()", True),
        ("'abc'.substring(1, 2) + 'abc'.charAt(2)", "bc"),
        ("1 in [1.0]", True),
        ("self.missing == 1 || true", True),
        ("false && self.missing == 1", False),
    ],
)
def test_an_expression_has_the_value_that_the_language_gives_it(expression: str, expected: object) -> None:
    """cel-spec, doc/langdef.md."""
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("self.missing", "no such key: missing"),
        ("self.names[2]", "index out of bounds: 2"),
        ("1 / 0", "division by zero"),
        ("9223372036854775807 + 1", "return error for overflow"),
        ("self.text + 1", "no such overload"),
        ("1 < 'a'", "no such overload"),
        ("self.names.all(n, n.size() > 1 || self.missing)", "no such key: missing"),
        ("nobody", "undeclared reference to 'nobody'"),
        ("1 +", "Syntax error"),
        ("'a", "Syntax error"),
        ("has(1)", "invalid argument to has"),
    ],
)
def test_an_expression_without_a_value_says_why(expression: str, why: str) -> None:
    """The words come into the refusal."""
    with pytest.raises(CelError, match=why.replace("(", r"\(").replace("+", r"\+")):
        value_of(expression)


def test_what_is_not_known_is_told_apart() -> None:
    """Nobody can say whether such a rule holds: it must neither pass silently nor refuse."""
    with pytest.raises(NotModelled):
        value_of("quantity('1Gi').isGreaterThan(quantity('1Mi'))")
    verdict = broken_rules({}, {"x-kubernetes-validations": [{"rule": "url('x').getHost() == 'y'"}]})

    assert not verdict.broken
    assert verdict.unknown == (
        "rule \"url('x').getHost() == 'y'\" at the root is not checked: function 'url'",
    )


_NUMBERS = st.integers(-50, 50).map(lambda number: (f"({number})", number))
_SUMS = st.recursive(
    _NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda parts: (
            f"({parts[0][0]} {parts[1]} {parts[2][0]})",
            _python(parts[0][1], parts[1], parts[2][1]),
        )
    ),
    max_leaves=6,
)


def _python(left: int, operator: str, right: int) -> int:
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


@given(_SUMS, _SUMS)
def test_arithmetic_is_that_of_whole_numbers(one: tuple[str, int], two: tuple[str, int]) -> None:
    """Against Python's own."""
    assert value_of(one[0]) == one[1]
    assert value_of(f"{one[0]} < {two[0]}") is (one[1] < two[1])
    if two[1]:
        quotient, rest = value_of(f"{one[0]} / {two[0]}"), value_of(f"{one[0]} % {two[0]}")
        assert isinstance(quotient, int) and isinstance(rest, int)
        assert quotient * two[1] + rest == one[1] and abs(rest) < abs(two[1])


# ---- rules


def _rules(*rules: dict[str, Any]) -> dict[str, Any]:
    inner = {
        "type": "object",
        "x-kubernetes-validations": list(rules),
        "properties": {"size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self < 10"}]}},
    }
    return {"type": "object", "properties": {"spec": inner}}


def _said(new: Any, schema: dict[str, Any], **more: Any) -> list[str]:
    return [str(cause) for cause in broken_rules({"spec": new}, schema, **more).broken]


def test_a_broken_rule_is_told_in_its_own_words() -> None:
    """The value of an object isn't told, that of a number is; without a message the rule itself is."""
    schema = _rules({"rule": "self.size > 20", "message": " too small\n"})

    assert _said({"size": 15}, schema) == [
        "spec: Invalid value: too small",
        "spec.size: Invalid value: 15: failed rule: self < 10",
    ]


def test_a_rule_chooses_message_reason_and_field() -> None:
    """messageExpression, reason and fieldPath."""
    rule = {"rule": "false", "messageExpression": "'is ' + string(self.size)", "fieldPath": ".size"}

    assert _said({"size": 3}, _rules({**rule, "reason": "FieldValueForbidden"})) == [
        "spec.size: Forbidden: is 3"
    ]
    assert _said({"size": 3}, _rules(rule)) == ["spec.size: Invalid value: is 3"]


def test_a_rule_about_a_change_is_asked_when_there_is_one() -> None:
    """oldSelf: not on creation."""
    schema = _rules({"rule": "self.size == oldSelf.size", "message": "size is immutable"})

    assert _said({"size": 3}, schema) == []
    assert _said({"size": 3}, schema, old={"spec": {"size": 3}}) == []
    assert _said({"size": 4}, schema, old={"spec": {"size": 3}}) == ["spec: Invalid value: size is immutable"]


def test_what_did_not_change_may_break_a_rule() -> None:
    """Ratcheting, as for the rest of the schema."""
    schema = _rules({"rule": "self.size > 20", "message": "too small"})

    assert _said({"size": 5}, schema, old={"spec": {"size": 5}}) == []
    assert _said({"size": 6}, schema, old={"spec": {"size": 5}}) == ["spec: Invalid value: too small"]


def test_an_error_refuses() -> None:
    """A rule that cannot be evaluated does not hold."""
    assert _said({}, _rules({"rule": "self.size > 1"})) == [
        'spec: Invalid value: "object": no such key: size evaluating rule: self.size > 1'
    ]
