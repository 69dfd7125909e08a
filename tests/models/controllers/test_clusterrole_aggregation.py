"""Aggregated ClusterRoles hold the rules of those that they select."""

from __future__ import annotations

from chaoskube.models.apiserver.authorization.default_roles import default_policy
from chaoskube.models.controllers.clusterrole_aggregation import aggregated
from chaoskube.models.objects import (
    ClusterRole,
    LabelSelector,
    ObjectMeta,
    PolicyRule,
    evolve,
    freeze,
)
from chaoskube.models.objects.rbac import AggregationRule

GET = PolicyRule(verbs=("get",), api_groups=("",), resources=("pods",))
LIST = PolicyRule(verbs=("list",), api_groups=("",), resources=("pods",))


def role(name: str, *rules: PolicyRule, **labels: str) -> ClusterRole:
    return ClusterRole(metadata=ObjectMeta(name=name, labels=freeze(labels)), rules=rules)


def test_an_aggregate_has_the_rules_of_what_it_selects_each_once() -> None:
    """In the order of the roles' names; its own rules are not among them."""
    selector = LabelSelector(match_labels=freeze({"part": "yes"}))
    whole = ClusterRole(
        metadata=ObjectMeta(name="whole", labels=freeze({"part": "yes"})),
        rules=(LIST,),
        aggregation_rule=AggregationRule(cluster_role_selectors=(selector,)),
    )
    roles = (role("b", GET, LIST, part="yes"), role("a", GET, part="yes"), role("c", LIST), whole)

    assert aggregated(whole, roles) == (GET, LIST)


def test_the_default_roles_build_upon_each_other() -> None:
    """view is within edit, edit within admin; nobody but an editor sees secrets."""
    roles = {one.name: one for one in default_policy() if isinstance(one, ClusterRole)}
    for _ in range(3):
        for name in ("view", "edit", "admin"):
            found = aggregated(roles[name], tuple(roles.values()))
            roles[name] = evolve(roles[name], rules=found)

    view, edit, admin = (set(roles[name].rules) for name in ("view", "edit", "admin"))
    assert view < edit < admin
    assert not any("secrets" in rule.resources for rule in view)
    assert any("secrets" in rule.resources for rule in edit)
