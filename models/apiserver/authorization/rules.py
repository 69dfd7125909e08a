"""Whether a rule of a role covers a request. Pure.

Source: pkg/apis/rbac/v1/evaluation_helpers.go (VerbMatches, APIGroupMatches, ResourceMatches, ResourceNameMatches).
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from chaoskube.models.objects.rbac import PolicyRule


@frozen(kw_only=True)
class Action:
    """What somebody wants to do: a verb on a resource (`plural` or `plural/subresource`), maybe of one name."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""

    @property
    def combined(self) -> str:
        """`pods`, or `pods/status`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def any_allows(rules: Iterable[PolicyRule], action: Action) -> bool:
    """Whether one of the rules covers the action."""
    return any(rule_allows(rule, action) for rule in rules)


def rule_allows(rule: PolicyRule, action: Action) -> bool:
    """Whether the rule covers the action."""
    return (
        _has(rule.verbs, action.verb)
        and _has(rule.api_groups, action.group)
        and _names_resource(rule, action)
        and (not rule.resource_names or action.name in rule.resource_names)
    )


def _has(values: tuple[str, ...], wanted: str) -> bool:
    return "*" in values or wanted in values


def _names_resource(rule: PolicyRule, action: Action) -> bool:
    """`*`, the resource with its subresource, or `*/subresource`; a plain resource covers no subresource."""
    named = rule.resources
    if "*" in named or action.combined in named:
        return True
    return bool(action.subresource) and f"*/{action.subresource}" in named
