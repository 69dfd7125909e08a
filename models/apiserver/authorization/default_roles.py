"""The roles and bindings that every cluster begins with, read from the table `default_roles.txt`.

Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,controller_policy,namespace_policy}.go; the table holds
what these files come to, as facts, of the components that matter here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from attrs import frozen

from chaoskube.models.objects import KubeObject, LabelSelector, ObjectMeta, freeze
from chaoskube.models.objects.rbac import (
    AggregationRule,
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
)
from chaoskube.sim import ModelBug

RBAC_GROUP = "rbac.authorization.k8s.io"
CONTROLLER_ROLE = "system:controller:"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}


@cache
def default_policy() -> tuple[KubeObject, ...]:
    """All default roles and bindings."""
    made: list[KubeObject] = []
    for block in _blocks(files(__package__).joinpath("default_roles.txt").read_text(encoding="utf-8")):
        if "->" in block.head:
            made.append(_binding(block.head))
        else:
            role = _role(block)
            made.append(role)
            if role.name.startswith(CONTROLLER_ROLE):
                account = role.name.removeprefix(CONTROLLER_ROLE)
                made.append(
                    _bound(
                        "ClusterRoleBinding",
                        role.name,
                        "ClusterRole",
                        role.name,
                        (f"ServiceAccount:kube-system/{account}",),
                    )
                )
    return tuple(made)


@cache
def node_rules() -> tuple[PolicyRule, ...]:
    """What any kubelet may do, as far as that doesn't hang on its node."""
    for obj in default_policy():
        if isinstance(obj, ClusterRole) and obj.name == "system:node":
            return obj.rules
    raise ModelBug("default_roles.txt has no ClusterRole system:node")


@frozen
class Block:
    """A role or a binding as it stands in the table."""

    head: str
    lines: tuple[str, ...]


def _blocks(text: str) -> list[Block]:
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("    "):
            found[-1][1].append(line.strip())
        elif line and not line.startswith("#"):
            found.append((line, []))
    return [Block(head, tuple(lines)) for head, lines in found]


def _role(block: Block) -> Role | ClusterRole:
    kind, _, where = block.head.partition(" ")
    rules, labels, collects = [], dict(_LABELS), []
    for line in block.lines:
        word, _, rest = line.partition(" ")
        if word == "label":
            labels[rest] = "true"
        elif word == "collects":
            collects.append(LabelSelector(match_labels=freeze({rest: "true"})))
        else:
            rules.append(_rule(line))
    if kind == "Role":
        return Role(metadata=_metadata(where, labels), rules=tuple(rules))
    aggregation = AggregationRule(cluster_role_selectors=tuple(collects)) if collects else None
    return ClusterRole(metadata=_metadata(where, labels), rules=tuple(rules), aggregation_rule=aggregation)


def _rule(line: str) -> PolicyRule:
    verbs, scope, what, *names = [part.strip() for part in line.split("|")]
    if scope == "paths":
        return PolicyRule(verbs=tuple(verbs.split(",")), non_resource_urls=tuple(what.split()))
    return PolicyRule(
        verbs=tuple(verbs.split(",")),
        api_groups=tuple(["" if group == "core" else group for group in scope.split(",")]),
        resources=tuple(what.split()),
        resource_names=tuple(names[0].split()) if names else (),
    )


def _binding(head: str) -> RoleBinding | ClusterRoleBinding:
    left, _, right = head.partition(" -> ")
    kind, where = left.split(" ")
    role, _, subjects = right.partition(": ")
    role_kind, role_name = role.rstrip(":").split(" ")
    return _bound(kind, where, role_kind, role_name, tuple(subjects.split()))


def _bound(
    kind: str, where: str, role_kind: str, role_name: str, subjects: tuple[str, ...]
) -> RoleBinding | ClusterRoleBinding:
    made = RoleBinding if kind == "RoleBinding" else ClusterRoleBinding
    return made(
        metadata=_metadata(where, _LABELS),
        subjects=tuple([_subject(one) for one in subjects]),
        role_ref=RoleRef(api_group=RBAC_GROUP, kind=role_kind, name=role_name),
    )


def _subject(text: str) -> Subject:
    kind, _, name = text.partition(":")
    if kind == "ServiceAccount":
        namespace, _, name = name.partition("/")
        return Subject(kind=kind, namespace=namespace, name=name)
    return Subject(kind=kind, api_group=RBAC_GROUP, name=name)


def _metadata(where: str, labels: dict[str, str]) -> ObjectMeta:
    namespace, slash, name = where.partition("/")
    return ObjectMeta(
        name=name if slash else where,
        namespace=namespace if slash else "",
        labels=freeze(labels),
        annotations=freeze(_ANNOTATIONS),
    )
