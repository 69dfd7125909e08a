"""Selectors: which labels or fields match, from a LabelSelector or from the text of a query.

Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go, pkg/fields/selector.go, pkg/apis/meta/v1/helpers.go.

A text is parsed once into a tuple of Requirements, which answers `matches`. An absent LabelSelector matches
nothing, an empty one everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from attrs import frozen

from chaoskube.models.objects.label_parser import parse_terms
from chaoskube.models.objects.meta import LabelSelector
from chaoskube.sim import UsageError


@frozen(kw_only=True)
class Requirement:
    """One condition on a label: in, notin, exists, !, gt, lt (equality is `in` with one value)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet it; a label that is missing meets notin and !."""
        value = labels.get(self.key)
        if self.operator == "in":
            return value is not None and value in self.values
        if self.operator == "notin":
            return value is None or value not in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "!":
            return value is None
        return _compares(self.operator, value, self.values[0])


@frozen
class Selector:
    """All requirements must be met; none at all matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels are selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is asked for."""
        return not self.requirements

    def __str__(self) -> str:
        return ",".join(_text(requirement) for requirement in sorted(self.requirements, key=lambda r: r.key))


@frozen(kw_only=True)
class FieldRequirement:
    """One condition on a field: equal, or not equal."""

    path: str
    equal: bool
    value: str


EVERYTHING: Final = Selector()


def matches(selector: LabelSelector | Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector, or the plain map of a Service, selects these labels."""
    if selector is None:
        return False
    if isinstance(selector, LabelSelector):
        return as_selector(selector).matches(labels)
    return all(labels.get(key) == value for key, value in selector.items())


@lru_cache(maxsize=1024)
def as_selector(selector: LabelSelector) -> Selector:
    """The requirements of a LabelSelector; a wrong operator is refused."""
    found = [
        Requirement(key=key, operator="in", values=(value,))
        for key, value in sorted(selector.match_labels.items())
    ]
    for expression in selector.match_expressions:
        operator = _OPERATORS.get(expression.operator)
        if operator is None:
            raise UsageError(f'"{expression.operator}" is not a valid label selector operator')
        found.append(Requirement(key=expression.key, operator=operator, values=expression.values))
    return Selector(tuple(found))


@lru_cache(maxsize=1024)
def parse_label_selector(text: str) -> Selector:
    """`app=web,tier in (a, b),!canary` as a Selector."""
    return Selector(
        tuple(
            Requirement(key=term.key, operator=term.operator, values=term.values)
            for term in parse_terms(text)
        )
    )


@lru_cache(maxsize=1024)
def parse_field_selector(text: str) -> tuple[FieldRequirement, ...]:
    r"""`spec.nodeName=node-1,status.phase!=Running` as requirements; `\` takes `,` and `=` literally."""
    found = []
    for term in sorted(_split_terms(text)):
        match = re.match(r"(.*?)(!=|==|=)(.*)", term, re.DOTALL)
        if match is None:
            raise UsageError(f"invalid selector: '{text}'; can't understand '{term}'")
        path, operator, value = match.groups()
        found.append(FieldRequirement(path=path, equal=operator != "!=", value=_unescaped(value)))
    return tuple(found)


def matches_fields(requirements: tuple[FieldRequirement, ...], fields: Mapping[str, str]) -> bool:
    """Whether an object's selectable fields meet them all; a missing field is ""."""
    return all((fields.get(r.path, "") == r.value) is r.equal for r in requirements)


_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def _split_terms(text: str) -> list[str]:
    return [term for term in re.findall(r"(?:[^\\,]|\\.|\\$)+", text, re.DOTALL) if term]


def _unescaped(value: str) -> str:
    """The value meant; UsageError with the real parser's words for a stray `=` or a `\\` before anything else."""
    for sign in re.findall(r"\\.?|=", value, re.DOTALL):
        if sign == "=":
            raise UsageError(f"invalid field selector: unescaped character in value: {ord(sign)}")
        if sign[1:] not in ("\\", ",", "="):
            raise UsageError(f"invalid field selector: invalid escape sequence: {sign}")
    return re.sub(r"\\([\\,=])", r"\1", value)


def _compares(operator: str, value: str | None, bound: str) -> bool:
    try:
        return value is not None and (
            int(value) > int(bound) if operator == "gt" else int(value) < int(bound)
        )
    except ValueError:
        return False


def _text(requirement: Requirement) -> str:
    key, values = requirement.key, requirement.values
    if requirement.operator == "exists":
        return key
    if requirement.operator == "!":
        return f"!{key}"
    if requirement.operator in ("gt", "lt"):
        return f"{key}{'>' if requirement.operator == 'gt' else '<'}{values[0]}"
    if requirement.operator == "in" and len(values) == 1:
        return f"{key}={values[0]}"
    return f"{key} {requirement.operator} ({','.join(sorted(values))})"
