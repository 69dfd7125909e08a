"""What a write may be, and what is said of one that may not."""

from __future__ import annotations

from attrs import evolve

from chaoskube.invariants.apiserver import (
    a_write_for_one_uid_changes_no_other,
    a_write_is_what_is_stored,
    an_object_keeps_its_identity,
    no_update_is_lost,
    nobody_exceeds_rbac,
    nothing_goes_while_a_finalizer_stands,
    watches_get_bookmarks,
)
from chaoskube.models.apiserver.events import WatchServed
from chaoskube.models.objects import KubeObject, ObjectMeta
from chaoskube.models.objects.rbac import ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject
from chaoskube.sim import SECOND, FaultEnded, FaultStarted, World
from tests.invariants.clusters import Case, pod

CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"


def test_an_update_for_an_older_version_is_a_lost_update(world: World) -> None:
    """The version in the body must be the one that was there."""
    case = Case(world, no_update_is_lost)
    first = case.put(pod("a"))
    second = case.put(pod("a", node="node-1"))
    case.written("alice", "update", first, second, requested_version="1")
    third = case.put(pod("a", node="node-1", phase="Running"))
    case.written("bob", "update", second, third, requested_version="1")

    assert case.said == ["bob wrote pods default/a for version 1, and overwrote 2"]


def test_a_component_must_not_update_blindly_over_others(world: World) -> None:
    """People may; a component may where it alone writes."""
    case = Case(world, no_update_is_lost)
    objects = [case.put(pod("a"))]
    for user in (CONTROLLER, CONTROLLER, "alice", CONTROLLER):
        objects.append(case.put(pod("a", phase=f"phase {len(objects)}")))
        case.written(user, "update", objects[-2], objects[-1])

    assert case.said == [f"{CONTROLLER} updates pods default/a without a version, over what alice wrote"]


def test_a_deletion_goes_on_from_its_own_mark(world: World) -> None:
    """Who deletes a pod of one version first marks it, if it waits for a node: what it removes then is what it marked."""
    case = Case(world, no_update_is_lost)
    first = case.put(pod("a"))
    marked = case.put(pod("a", deletion_grace_period_seconds=0))
    case.written(CONTROLLER, "delete", first, marked, requested_version="1")
    case.remove(marked)
    case.written(CONTROLLER, "delete", marked, None, requested_version="1")
    second = case.put(pod("b"))
    changed = case.put(pod("b", node="node-1"))
    case.written("alice", "update", second, changed)
    case.remove(changed)
    case.written(CONTROLLER, "delete", changed, None, requested_version="4")

    assert case.said == [f"{CONTROLLER} wrote pods default/b for version 4, and overwrote 5"]


def test_a_write_that_changed_nothing_is_no_matter(world: World) -> None:
    """It is answered with the version that was there."""
    case = Case(world, no_update_is_lost)
    first = case.put(pod("a"))
    case.put(pod("b"))
    case.written("alice", "update", first, first, requested_version="1")

    assert case.said == []


def test_what_a_writer_is_told_must_be_what_is_stored(world: World) -> None:
    case = Case(world, a_write_is_what_is_stored)
    stored = case.put(pod("a", node="node-1"))
    case.written("alice", "create", None, stored)
    assert case.said == []

    case.written("alice", "create", None, pod("a", node="node-2", resource_version="1"))
    assert len(case.said) == 1 and case.said[0].startswith("alice was told that pods default/a is")


def test_a_request_for_one_uid_must_not_hit_another(world: World) -> None:
    case = Case(world, a_write_for_one_uid_changes_no_other)
    before = case.put(pod("a", uid="new"))
    after = case.put(pod("a", uid="new", node="node-1"))
    case.written("system:kube-scheduler", "create", before, after, subresource="binding", uid_asked="new")
    case.written("system:kube-scheduler", "create", before, after, subresource="binding", uid_asked="old")

    assert case.said == [
        (
            "system:kube-scheduler meant pods default/a with uid old, and wrote the one with uid new "
            "(create pods/binding default/a)"
        )
    ]


def test_uid_and_deletion_stand(world: World) -> None:
    case = Case(world, an_object_keeps_its_identity)
    before = case.put(pod("a", deletion_timestamp=1))
    after = case.put(pod("a"))
    case.written("alice", "update", before, after)
    case.written("alice", "update", after, case.put(pod("a", uid="other")))
    case.written("alice", "update", after, case.put(pod("a", deletion_timestamp=1)))

    assert case.said == [
        "alice took back the deletion of pods default/a",
        "alice changed the uid of pods default/a from uid-a to other",
    ]


def test_only_who_takes_the_last_finalizer_away_removes(world: World) -> None:
    case = Case(world, nothing_goes_while_a_finalizer_stands)
    held = case.put(pod("a", finalizers=("example.com/clean-up",)))
    case.remove(held)
    case.written("alice", "update", held, None)
    assert case.said == []

    case.written("alice", "delete", held, None)
    assert case.said == ["alice deleted pods default/a, which had the finalizer example.com/clean-up"]


def with_a_watch_of_secrets(world: World) -> tuple[Case, KubeObject]:
    """One that wants bookmarks, and a pod that may be written."""
    case = Case(world, watches_get_bookmarks)
    world.call_later(600 * SECOND, lambda: None)
    served = WatchServed(resource="secrets", watch=1, wants_bookmarks=True)
    world.journal.mention(world.now, "apiserver-0", served)
    return case, case.put(pod("a"))


def test_a_quiet_watch_is_owed_a_bookmark(world: World) -> None:
    """Whether it is late shows when its server does something else."""
    case, made = with_a_watch_of_secrets(world)
    for waited in (64, 2):
        world.advance(waited * SECOND)
        case.written("alice", "update", made, made)

    assert case.said == ["apiserver-0 has owed a watch of secrets a bookmark for 66 s"]


def test_a_server_that_thaws_works_off_its_bookmarks_first(world: World) -> None:
    """Its requests may have come before them."""
    case, made = with_a_watch_of_secrets(world)
    world.journal.record(world.now, "chaos", FaultStarted(verb="pause", text="pause process=apiserver-0"))
    world.advance(66 * SECOND)
    world.journal.record(world.now, "chaos", FaultEnded(verb="pause", text="pause process=apiserver-0"))
    case.written("alice", "update", made, made)
    assert not case.said

    world.advance(6 * SECOND)
    case.written("alice", "update", made, made)
    assert case.said == ["apiserver-0 has owed a watch of secrets a bookmark for 72 s"]


def may_write_pods(user: str) -> tuple[KubeObject, KubeObject]:
    """A role and its binding."""
    rule = PolicyRule(verbs=("create",), api_groups=("",), resources=("pods",))
    role = ClusterRole(metadata=ObjectMeta(name="writer"), rules=(rule,))
    reference = RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="writer")
    subject = Subject(kind="User", name=user)
    return role, ClusterRoleBinding(
        metadata=ObjectMeta(name="writer"), subjects=(subject,), role_ref=reference
    )


def test_who_has_no_role_may_not_write(world: World) -> None:
    """Judged once the servers must know the roles; the admin and kubelets are not judged by roles."""
    case = Case(world, nobody_exceeds_rbac)
    world.call_later(600 * SECOND, lambda: None)
    made = case.put(pod("a"))
    case.written("eve", "create", None, made)
    for obj in may_write_pods("alice"):
        case.put(obj)
    case.written("eve", "create", None, made)
    world.advance(20 * SECOND)
    case.written("alice", "create", None, made)
    case.written("admin", "delete", made, None)
    case.written("system:node:node-1", "update", made, made, subresource="status")
    assert case.said == []

    case.written("alice", "update", made, evolve(made))
    case.written("eve", "create", None, made)
    assert case.said == [
        "alice has done what no role allows: update pods default/a",
        "eve has done what no role allows: create pods default/a",
    ]
