"""Who may do what: RBAC, the node authorizer, the default roles, and the words of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.authentication import Identity, identify
from chaoskube.models.apiserver.authorization.authorizer import action_of, refused
from chaoskube.models.apiserver.authorization.default_roles import default_policy, node_rules
from chaoskube.models.apiserver.authorization.node import selects_node
from chaoskube.models.apiserver.authorization.pod_references import names_in
from chaoskube.models.apiserver.authorization.rules import Action, rule_allows
from chaoskube.models.apiserver.events import Denied
from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.objects import ConfigMap, ObjectMeta, Pod, PolicyRule, decode
from chaoskube.models.objects.resources import resource_of
from chaoskube.sim import SECOND, World

RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
def guarded(control_plane: Any) -> Iterator[Any]:
    """A control plane that asks who may do what."""
    with World(seed=11) as world:
        yield control_plane(world, ServerOptions())


def grant(
    api: Any, name: str, rule: dict[str, Any], subject: dict[str, Any], namespace: str = "default"
) -> None:
    """A Role and its binding, by the administrator."""
    role = {"metadata": {"name": name, "namespace": namespace}, "rules": [rule]}
    binding = {
        "metadata": {"name": name, "namespace": namespace},
        "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
    }
    for plural, kind, body in (("roles", "Role", role), ("rolebindings", "RoleBinding", binding)):
        tree = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, **body}
        made = api.do("create", plural, namespace=namespace, user="admin", body=decode(tree))
        assert made.name == name, made


def get_maps(api: Any, user: str, server: int = 0, **fields: Any) -> int:
    return int(api.ask(api.request("list", "configmaps", user=user, **fields), server).code)


# ---- identities


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        (
            "system:serviceaccount:ns:app",
            ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
        ),
        ("system:node:n", ("system:nodes", "system:authenticated")),
        ("admin", ("system:masters", "system:authenticated")),
        ("eve", ("system:authenticated",)),
        ("", ("system:unauthenticated",)),
    ],
)
def test_every_user_has_the_groups_of_its_credential(user: str, groups: tuple[str, ...]) -> None:
    """reference: user strings and groups, no User object."""
    assert identify(user).groups == groups


def test_a_node_is_known_by_name_and_group() -> None:
    """A user who only calls himself a node is none."""
    assert identify("system:node:n").node_name == "n"
    assert Identity(name="system:node:n", groups=("system:authenticated",)).node_name == ""
    assert identify("system:serviceaccount:ns:app").account == ("ns", "app")


# ---- rules


def action(
    verb: str, resource: str, *, group: str = "", sub: str = "", name: str = "", namespace: str = "ns"
) -> Action:
    return Action(verb=verb, group=group, resource=resource, subresource=sub, name=name, namespace=namespace)


@pytest.mark.parametrize(
    ("rule", "asked", "is_allowed"),
    [
        (("get", "", "pods"), action("get", "pods"), True),
        (("get", "", "pods"), action("list", "pods"), False),
        (("get", "", "pods"), action("get", "pods", sub="status"), False),
        (("get", "", "pods/status"), action("get", "pods", sub="status"), True),
        (("get", "*", "*/scale"), action("get", "deployments", group="apps", sub="scale"), True),
        (("get", "*", "*/scale"), action("get", "deployments", group="apps"), False),
        (("*", "*", "*"), action("delete", "pods", sub="log"), True),
        (("get", "apps", "deployments"), action("get", "deployments", group="extensions"), False),
    ],
)
def test_a_rule_covers_what_it_names(rule: tuple[str, str, str], asked: Action, is_allowed: bool) -> None:
    """A plain resource covers no subresource."""
    verb, group, resource = rule

    assert (
        rule_allows(PolicyRule(verbs=(verb,), api_groups=(group,), resources=(resource,)), asked)
        == is_allowed
    )


def test_a_rule_with_names_never_allows_to_create() -> None:
    """What is created has no name yet when it is asked about; a list only when it is of one name."""
    rule = PolicyRule(verbs=("*",), api_groups=("",), resources=("pods",), resource_names=("p",))
    request = Request(verb="create", resource="pods", namespace="ns", name="p")
    create = action_of(request, resource_of("pods"))

    assert rule_allows(rule, action("get", "pods", name="p"))
    assert not rule_allows(rule, action("get", "pods", name="q"))
    assert not rule_allows(rule, create)
    assert not rule_allows(rule, action("list", "pods"))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            action("list", "pods"),
            'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "ns"',
        ),
        (
            action("patch", "deployments", group="apps", sub="scale", name="web"),
            (
                'deployments.apps "web" is forbidden: User "eve" cannot patch resource "deployments/scale" '
                'in API group "apps" in the namespace "ns"'
            ),
        ),
        (
            action("create", "nodes", namespace=""),
            'nodes is forbidden: User "eve" cannot create resource "nodes" in API group "" at the cluster scope',
        ),
    ],
)
def test_a_refusal_says_who_cannot_do_what_where(asked: Action, words: str) -> None:
    """staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go."""
    status = refused(identify("eve"), asked, "").status

    assert (status.code, status.reason, status.message) == (403, "Forbidden", words)


# ---- RBAC on a server


def test_nobody_may_anything_that_was_not_granted(guarded: Any) -> None:
    """And it is journalled who was denied what."""
    assert get_maps(guarded, "eve") == 403
    assert get_maps(guarded, "admin") == 200
    denied = [one.event for one in guarded.world.journal.entries if isinstance(one.event, Denied)]
    assert [(one.user, one.verb, one.resource, one.namespace) for one in denied] == [
        ("eve", "list", "configmaps", "default")
    ]


@pytest.mark.parametrize(
    ("subject", "user"),
    [
        ({"kind": "User", "name": "eve"}, "eve"),
        ({"kind": "Group", "name": "system:serviceaccounts:ns"}, "system:serviceaccount:ns:app"),
        ({"kind": "ServiceAccount", "name": "app", "namespace": "ns"}, "system:serviceaccount:ns:app"),
    ],
)
def test_a_role_holds_in_its_namespace_for_its_subjects(guarded: Any, subject: Any, user: str) -> None:
    """Users, groups and accounts."""
    rule = {"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]}
    grant(guarded, "reader", rule, subject)
    guarded.world.advance(SECOND)

    assert get_maps(guarded, user) == 200
    assert get_maps(guarded, user, namespace="kube-system") == 403
    assert get_maps(guarded, "somebody-else") == 403


def test_a_revocation_reaches_each_server_when_its_watch_brings_it(guarded: Any) -> None:
    """The two answer differently meanwhile: a window that every HA control plane has."""
    rule = {"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]}
    grant(guarded, "reader", rule, {"kind": "User", "name": "eve"})
    guarded.world.advance(SECOND)
    guarded.delay_etcd_watch(1, "rolebindings", 5 * SECOND)
    guarded.do("delete", "rolebindings", "reader", user="admin")

    assert (get_maps(guarded, "eve", server=0), get_maps(guarded, "eve", server=1)) == (403, 200)
    guarded.world.advance(6 * SECOND)
    assert get_maps(guarded, "eve", server=1) == 403


def test_a_binding_without_its_role_gives_nothing_and_says_so(guarded: Any) -> None:
    """The others go on counting."""
    rule = {"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]}
    grant(guarded, "reader", rule, {"kind": "User", "name": "eve"})
    guarded.do("delete", "roles", "reader", user="admin")
    guarded.world.advance(SECOND)
    said = guarded.do("list", "configmaps", user="eve")

    assert said.code == 403
    assert said.message.endswith(': RBAC: role.rbac.authorization.k8s.io "reader" not found')


def test_a_put_that_creates_needs_leave_to_create(guarded: Any) -> None:
    """Leave to update is not enough for what isn't there."""
    rule = {"verbs": ["update"], "apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    grant(guarded, "updater", rule, {"kind": "User", "name": "eve"})
    guarded.world.advance(SECOND)
    body = decode(
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": {}}
    )
    said = guarded.do("update", "leases", "l", user="eve", body=body)

    assert said.code == 403 and 'User "eve" cannot create resource "leases"' in said.message


def test_the_default_roles_are_stored_once_though_two_servers_start(guarded: Any) -> None:
    """Whoever is faster; a role that was taken away comes back when a server starts again."""
    names = guarded.do("list", "clusterroles", namespace="", user="admin").items
    assert len({one.name for one in names}) == len(names) >= 40
    guarded.do("delete", "clusterroles", "view", namespace="", user="admin")
    guarded.servers[0].crash()
    guarded.servers[0].start()
    guarded.world.advance(5 * SECOND)

    assert guarded.do("get", "clusterroles", "view", server=1, namespace="", user="admin").name == "view"


def test_nobody_gives_away_what_he_does_not_have(guarded: Any) -> None:
    """Neither by a role nor by a binding; what he has he may."""
    rule = {
        "verbs": ["create", "get", "list", "update"],
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
    }
    grant(guarded, "granter", rule, {"kind": "User", "name": "eve"})
    guarded.world.advance(SECOND)

    def role(name: str, resource: str, group: str) -> Any:
        rules = [{"verbs": ["get", "list"], "apiGroups": [group], "resources": [resource]}]
        tree = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}}
        return guarded.do("create", "roles", user="eve", body=decode({**tree, "rules": rules}))

    refused_role = role("greedy", "secrets", "")
    own = role("modest", "roles", "rbac.authorization.k8s.io")
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "subjects": [{"kind": "User", "name": "eve"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    }
    bound = guarded.do("create", "rolebindings", user="eve", body=decode(binding))

    assert own.name == "modest"
    assert bound.code == 403 and 'APIGroups:["*"], Resources:["*"], Verbs:["*"]' in bound.message
    assert refused_role.message == (
        'roles.rbac.authorization.k8s.io "greedy" is forbidden: user "eve" (groups=["system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}'
    )


# ---- nodes


NODE = "system:node:node-1"


def bound_pod(name: str, node: str) -> Pod:
    spec = {
        "nodeName": node,
        "serviceAccountName": "app",
        "containers": [
            {"name": "c", "image": "i", "envFrom": [{"configMapRef": {"name": "settings"}}]},
        ],
        "volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "key"}}]}}],
    }
    made = decode({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    assert isinstance(made, Pod)
    return made


def test_what_a_pod_refers_to_is_found_everywhere_in_it() -> None:
    """Volumes, projections, environments."""
    pod = bound_pod("p", "node-1")

    assert names_in(pod, "configmaps") == {"settings"}
    assert names_in(pod, "secrets") == {"key"}
    assert names_in(pod, "persistentvolumeclaims") == frozenset()


def test_a_kubelet_reads_what_its_own_pods_use_and_nothing_else(guarded: Any) -> None:
    """The graph from node to pod to ConfigMap."""
    account = decode({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}})
    guarded.do("create", "serviceaccounts", user="admin", body=account)
    for name in ("settings", "other"):
        guarded.do("create", "configmaps", user="admin", body=ConfigMap(metadata=ObjectMeta(name=name)))
    guarded.do("create", "pods", user="admin", body=bound_pod("p", "node-1"))
    guarded.world.advance(SECOND)

    own = guarded.do("get", "configmaps", "settings", user=NODE)
    other = guarded.do("get", "configmaps", "other", user=NODE)
    neighbour = guarded.do("get", "configmaps", "settings", user="system:node:node-2")

    assert own.name == "settings"
    for refusal in (other, neighbour):
        assert refusal.code == 403 and "no relationship found between node" in refusal.message


@pytest.mark.parametrize(
    ("verb", "resource", "fields", "words"),
    [
        ("list", "pods", {"namespace": ""}, "can only list/watch pods with spec.nodeName field selector"),
        ("list", "nodes", {}, "node 'node-1' cannot read all nodes, only its own Node object"),
        (
            "get",
            "leases",
            {"name": "node-2", "namespace": "kube-node-lease"},
            "same name as the requesting node",
        ),
        (
            "get",
            "leases",
            {"name": "node-1"},
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        ("list", "secrets", {}, "No Object name found"),
    ],
)
def test_a_kubelet_keeps_to_its_own(guarded: Any, verb: str, resource: str, fields: Any, words: str) -> None:
    """plugin/pkg/auth/authorizer/node/node_authorizer.go."""
    said = guarded.do(verb, resource, user=NODE, **fields)

    assert said.code == 403 and words in said.message


def test_a_selector_for_the_own_node_lets_a_kubelet_list_pods() -> None:
    """As every kubelet does."""
    assert selects_node("spec.nodeName=node-1", "node-1")
    assert not selects_node("spec.nodeName=node-2", "node-1")
    assert not selects_node("spec.nodeName!=node-1", "node-1")


def test_a_kubelet_cannot_write_a_pod_of_another_node(guarded: Any) -> None:
    """NodeRestriction: the authorizer alone would let it."""
    guarded.do(
        "create",
        "serviceaccounts",
        user="admin",
        body=decode({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}}),
    )
    guarded.do("create", "pods", user="admin", body=bound_pod("p", "node-2"))
    guarded.world.advance(SECOND)
    status = {"status": {"phase": "Running"}}
    said = guarded.do("patch", "pods", "p", user=NODE, subresource="status", patch_type="merge", body=status)

    assert said.code == 403
    assert said.message.endswith(
        'node "node-1" can only update pod status for pods with spec.nodeName set to itself'
    )


# ---- the table


def test_the_table_of_default_roles_is_whole() -> None:
    """Every binding has its role, every controller's role its account."""
    objects = default_policy()
    roles = {(one.kind, one.name) for one in objects if one.kind.endswith("Role")}
    for one in objects:
        if one.kind.endswith("Binding"):
            reference = one.role_ref  # type: ignore[attr-defined]  # a binding has one
            assert (reference.kind, reference.name) in roles, one.name
    assert len({(one.kind, one.namespace, one.name) for one in objects}) == len(objects)
    assert any("pods/status" in rule.resources for rule in node_rules())
