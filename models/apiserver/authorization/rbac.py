"""RBAC: who is bound to which rules, as one server's caches of roles and bindings know it.

It only ever allows. Grants and revocations take effect when the server's watch brings them, so two servers may
answer differently for a while. A binding whose role is missing gives nothing, and the refusal says so.
What a subject's bindings come to is worked out once and thrown away when one of the four caches changes.
Sources: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go.

Not modelled: non-resource URLs (nobody asks for any).
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen

from chaoskube.models.apiserver.authentication import Identity
from chaoskube.models.apiserver.authorization.rules import Action, any_allows
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.rbac import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    Subject,
)

CACHES = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
_PREFIX = "/registry/"


@define
class Grants:
    """What one identity may do in one namespace ("": everywhere)."""

    rules: tuple[PolicyRule, ...]
    problems: tuple[str, ...]
    decided: dict[tuple[str, str, str], bool] = field(factory=dict)
    """Decisions that don't hang on a name, by verb, group and resource."""


@frozen
class Rules:
    """The rules that somebody has, and what is wrong with the bindings that gave them."""

    rules: tuple[PolicyRule, ...]
    problems: tuple[str, ...]


class Rbac:
    """The RBAC authorizer of one server."""

    def __init__(self, cache: Callable[[str], WatchCache]) -> None:
        self._cache = cache
        self._known_at: tuple[int, ...] = ()
        """The revisions of the four caches that `_grants` was worked out from."""
        self._grants: dict[tuple[Identity, str], Grants] = {}

    def problem(self, identity: Identity, action: Action) -> str | None:
        """None when the action is allowed; else what the refusal adds to its words ("" for nothing)."""
        self._forget_when_changed()
        here = self._granted(identity, "")
        if self._allows(here, action):
            return None
        problems = here.problems
        if action.namespace:
            there = self._granted(identity, action.namespace)
            if self._allows(there, action):
                return None
            problems += there.problems
        return _told(problems)

    def rules_for(self, identity: Identity, namespace: str) -> Rules:
        """All rules that hold for somebody in a namespace, those for all namespaces among them."""
        self._forget_when_changed()
        found = self._granted(identity, "")
        if not namespace:
            return Rules(found.rules, found.problems)
        more = self._granted(identity, namespace)
        return Rules((*found.rules, *more.rules), (*found.problems, *more.problems))

    def _allows(self, grants: Grants, action: Action) -> bool:
        if not grants.rules:
            return False
        key = (action.verb, action.group, action.combined)
        known = grants.decided.get(key)
        if known is None:
            nameless = [rule for rule in grants.rules if not rule.resource_names]
            known = grants.decided[key] = any_allows(nameless, action)
        return known or any_allows([rule for rule in grants.rules if rule.resource_names], action)

    def _forget_when_changed(self) -> None:
        now = tuple([self._cache(name).revision for name in CACHES])
        if now != self._known_at:
            self._known_at = now
            self._grants.clear()

    def _granted(self, identity: Identity, namespace: str) -> Grants:
        key = (identity, namespace)
        found = self._grants.get(key)
        if found is None:
            rules = self._collect(identity, namespace)
            found = self._grants[key] = Grants(rules.rules, rules.problems)
        return found

    def _collect(self, identity: Identity, namespace: str) -> Rules:
        kind = "rolebindings" if namespace else "clusterrolebindings"
        prefix = f"{_PREFIX}{kind}/{namespace}/" if namespace else f"{_PREFIX}{kind}/"
        rules: list[PolicyRule] = []
        problems: list[str] = []
        for _, binding in self._cache(kind).select(prefix):
            assert isinstance(binding, (RoleBinding, ClusterRoleBinding)), f"{binding!r} is no binding"
            if not any(applies_to(subject, identity, namespace) for subject in binding.subjects):
                continue
            role = self.role_of(binding, namespace)
            if role is None:
                reference = binding.role_ref
                kind_of = reference.kind.lower()
                problems.append(f'{kind_of}.rbac.authorization.k8s.io "{reference.name}" not found')
            else:
                rules += role.rules
        return Rules(tuple(rules), tuple(problems))

    def role_of(self, binding: RoleBinding | ClusterRoleBinding, namespace: str) -> Role | ClusterRole | None:
        """The role that a binding names, if this server knows it."""
        reference = binding.role_ref
        if reference.kind == "Role":
            found: KubeObject | None = self._cache("roles").get(
                f"{_PREFIX}roles/{namespace}/{reference.name}"
            )
        else:
            found = self._cache("clusterroles").get(f"{_PREFIX}clusterroles/{reference.name}")
        assert found is None or isinstance(found, (Role, ClusterRole)), f"{found!r} is no role"
        return found


def applies_to(subject: Subject, identity: Identity, namespace: str) -> bool:
    """Whether a binding's subject is this identity; an account without a namespace is of the binding's own."""
    if subject.kind == "User":
        return subject.name == identity.name
    if subject.kind == "Group":
        return subject.name in identity.groups
    return identity.account == (subject.namespace or namespace, subject.name)


def _told(problems: tuple[str, ...]) -> str:
    said = tuple(dict.fromkeys(problems))
    if not said:
        return ""
    return f"RBAC: {said[0]}" if len(said) == 1 else f"RBAC: [{', '.join(said)}]"
