"""What everybody may do by the roles and bindings that are stored: RBAC as a god sees it, without any server's lag.

Not modelled: what kubelets may do (the node authorizer looks at pods and their nodes).
"""

from __future__ import annotations

from chaoskube.models.apiserver.authentication import MASTERS, NODES, Identity, identify
from chaoskube.models.apiserver.authorization.rbac import applies_to
from chaoskube.models.apiserver.authorization.rules import Action, any_allows
from chaoskube.models.objects.rbac import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding
from chaoskube.models.stored import Change, Stored

_KINDS = (ClusterRole, ClusterRoleBinding, Role, RoleBinding)


class Rights:
    """Who may do what now."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._rules: dict[tuple[Identity, str], tuple[PolicyRule, ...]] = {}
        self.changed_at: int | None = None
        """When a role or binding changed last; None while there is none, and nobody is asked for rights."""
        stored.listeners.append(self._changed)

    def allows(self, user: str, action: Action) -> bool:
        """Do the stored bindings give this user the right?"""
        identity = identify(user)
        if MASTERS in identity.groups or NODES in identity.groups:
            return True
        return any_allows(self._rules_of(identity, ""), action) or (
            bool(action.namespace) and any_allows(self._rules_of(identity, action.namespace), action)
        )

    def _rules_of(self, identity: Identity, namespace: str) -> tuple[PolicyRule, ...]:
        key = (identity, namespace)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = self._collect(identity, namespace)
        return found

    def _collect(self, identity: Identity, namespace: str) -> tuple[PolicyRule, ...]:
        bindings: list[RoleBinding | ClusterRoleBinding] = []
        if namespace:
            bindings += [one for one in self._stored.all(RoleBinding) if one.namespace == namespace]
        else:
            bindings += self._stored.all(ClusterRoleBinding)
        rules: list[PolicyRule] = []
        for binding in bindings:
            if any(applies_to(subject, identity, namespace) for subject in binding.subjects):
                role = self._role_of(binding, namespace)
                rules += role.rules if role is not None else ()
        return tuple(rules)

    def _role_of(
        self, binding: RoleBinding | ClusterRoleBinding, namespace: str
    ) -> Role | ClusterRole | None:
        reference = binding.role_ref
        if reference.kind == "Role":
            return self._stored.get(Role, f"{namespace}/{reference.name}")
        return self._stored.get(ClusterRole, reference.name)

    def _changed(self, change: Change) -> None:
        if isinstance(change.obj, _KINDS):
            self._rules.clear()
            self.changed_at = change.at
