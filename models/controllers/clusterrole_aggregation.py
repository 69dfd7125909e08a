"""Aggregated ClusterRoles: `admin`, `edit`, `view` and users' own get the rules of all roles that their selectors match.

Source: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.

Not modelled: server-side apply (the real controller applies; this one updates, and comes again when it was too late).
"""

from __future__ import annotations

from chaoskube.models.client.api import is_not_found
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.objects import ClusterRole, KubeObject, PolicyRule, as_selector, evolve
from chaoskube.sim import Refused


@controller("clusterrole-aggregation", account="clusterrole-aggregation-controller")
class ClusterRoleAggregation:
    """Keeps the rules of aggregated roles."""

    def __init__(self, manager: ManagerContext) -> None:
        self._client = manager.client
        self._workers = manager.workers(self._reconcile)
        self._roles = manager.informer("clusterroles")
        self._roles.add_handler(
            on_add=self._changed, on_update=lambda old, new: self._changed(new), on_delete=self._changed
        )

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    def _changed(self, obj: KubeObject) -> None:
        """Any role may be part of any aggregate."""
        for role in only(ClusterRole, self._roles.list()):
            if role.aggregation_rule is not None:
                self._workers.add(role.name)

    async def _reconcile(self, name: str) -> None:
        role = self._roles.get_by_key(name)
        if not isinstance(role, ClusterRole) or role.aggregation_rule is None:
            return
        wanted = aggregated(role, only(ClusterRole, self._roles.list()))
        if wanted == role.rules:
            return
        try:
            await self._client.update(evolve(role, rules=wanted))
        except Refused as error:
            if not is_not_found(error):
                raise


def aggregated(role: ClusterRole, roles: tuple[ClusterRole, ...]) -> tuple[PolicyRule, ...]:
    """The rules of all roles that the aggregate selects, in the order of their names, each once."""
    assert role.aggregation_rule is not None, f"{role.name} is no aggregate"
    rules: list[PolicyRule] = []
    for selector in role.aggregation_rule.cluster_role_selectors:
        wanted = as_selector(selector)
        for one in sorted(roles, key=lambda one: one.name):
            if one.name != role.name and wanted.matches(one.labels):
                rules += [rule for rule in one.rules if rule not in rules]
    return tuple(rules)
