"""Nobody gives away what he doesn't have: roles and bindings are written only by those who hold what they grant.

Whoever writes a role must be allowed all that its rules allow, or have the verb `escalate` on it; whoever binds one
likewise, or the verb `bind`. `system:masters` may anything.
Sources: pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go,
pkg/registry/rbac/validation/rule.go (ConfirmNoEscalation), staging/src/k8s.io/component-helpers/auth/rbac/validation/
policy_comparator.go.

Not modelled: rules on paths that are no resources; aggregation rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaoskube.models.apiserver.admission import CREATE, UPDATE, Attributes, Plugin, Target
from chaoskube.models.apiserver.authentication import MASTERS, Identity
from chaoskube.models.apiserver.authorization.rules import Action
from chaoskube.models.apiserver.errors import not_found
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.objects.rbac import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding

ROLES = ("roles", "clusterroles")
BINDINGS = ("rolebindings", "clusterrolebindings")


class EscalationCheck(Plugin):
    """The check of the registry of roles; it stands behind the admission chain as the real one does."""

    name = "EscalationCheck"

    def validates(self, target: Target) -> bool:
        """Roles and bindings."""
        return target.is_on(target.resource, CREATE, UPDATE) and target.resource in (*ROLES, *BINDINGS)

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Refuses to grant more than the granter has."""
        yield from ()
        identity = attributes.identity
        authorizer = ctx.gate.authorizer
        if authorizer.allows_all or MASTERS in identity.groups or _is_same(attributes):
            return
        obj = attributes.obj
        if isinstance(obj, (Role, ClusterRole)):
            verb, name, rules = "escalate", obj.name, obj.rules
            resource = attributes.resource.plural
        else:
            assert isinstance(obj, (RoleBinding, ClusterRoleBinding)), f"{obj!r} is no binding"
            reference = obj.role_ref
            role = authorizer.rbac.role_of(obj, attributes.namespace)
            resource = "clusterroles" if reference.kind == "ClusterRole" else "roles"
            if role is None:
                raise not_found(resource, "rbac.authorization.k8s.io", reference.name)
            verb, name, rules = "bind", reference.name, role.rules
        action = Action(
            verb=verb,
            group="rbac.authorization.k8s.io",
            resource=resource,
            namespace=attributes.namespace,
            name=name,
        )
        if authorizer.problem(identity, action) is None:
            return
        held = authorizer.rbac.rules_for(identity, attributes.namespace).rules
        missing = [one for one in single_rules(rules) if not any(covers(rule, one) for rule in held)]
        if missing:
            raise attributes.forbidden(_told(identity, missing))


def _is_same(attributes: Attributes) -> bool:
    """A change that grants nothing new (of labels, say) needs nothing."""
    new, old = attributes.obj, attributes.old
    if isinstance(new, (Role, ClusterRole)) and isinstance(old, (Role, ClusterRole)):
        return new.rules == old.rules
    if isinstance(new, (RoleBinding, ClusterRoleBinding)) and isinstance(
        old, (RoleBinding, ClusterRoleBinding)
    ):
        return new.role_ref == old.role_ref and new.subjects == old.subjects
    return False


def single_rules(rules: Iterable[PolicyRule]) -> Iterator[PolicyRule]:
    """The same rules, each with one verb, one group, one resource and one name at most."""
    for rule in rules:
        for group in rule.api_groups:
            for resource in rule.resources:
                for verb in rule.verbs:
                    for name in rule.resource_names or ("",):
                        yield PolicyRule(
                            verbs=(verb,),
                            api_groups=(group,),
                            resources=(resource,),
                            resource_names=(name,) if name else (),
                        )


def covers(held: PolicyRule, wanted: PolicyRule) -> bool:
    """Whether a rule allows all that a single rule allows."""
    sub = wanted.resources[0].partition("/")[2]
    resources = (*wanted.resources, "*", *([f"*/{sub}"] if sub else []))
    return (
        bool({"*", wanted.verbs[0]}.intersection(held.verbs))
        and bool({"*", wanted.api_groups[0]}.intersection(held.api_groups))
        and any(one in held.resources for one in resources)
        and (
            not held.resource_names
            or (bool(wanted.resource_names) and wanted.resource_names[0] in held.resource_names)
        )
    )


def _told(identity: Identity, missing: list[PolicyRule]) -> str:
    groups = " ".join([f'"{group}"' for group in identity.groups])
    head = f'user "{identity.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:'
    return "\n".join([head, *sorted(_compact(missing))])


def _compact(rules: list[PolicyRule]) -> list[str]:
    """The rules as the real message has them: verbs of the same resource together."""
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for rule in rules:
        verbs.setdefault((rule.api_groups[0], rule.resources[0], rule.resource_names), []).append(
            rule.verbs[0]
        )
    said = []
    for (group, resource, names), some in verbs.items():
        parts = [f'APIGroups:["{group}"]', f'Resources:["{resource}"]']
        if names:
            parts.append(f'ResourceNames:["{names[0]}"]')
        parts.append("Verbs:[" + " ".join([f'"{verb}"' for verb in dict.fromkeys(some)]) + "]")
        said.append("{" + ", ".join(parts) + "}")
    return said
