"""What must hold of the example operator: members and claims as wanted, and nobody else's pods deleted."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.objects import GenericObject, PersistentVolumeClaim, Pod, is_pod_terminal
from chaoskube.models.observer import Entry, Observer, Written, group_kind
from chaoskube.scenarios.operators.database import (
    NAME_LABEL,
    UID_LABEL,
    database_operator,
    member_of,
    members_wanted,
)


@always(on=[Written])
def operator_deletes_only_what_is_not_wanted(seen: Observer, event: Entry) -> None:
    """The operator deletes a member only if its own Database doesn't want it, or didn't at some time.

    It acts on caches: a late one may show it a size that is past already, but an earlier Database of the same name, which was
    being deleted, says nothing about the members of this one.
    (rabbitmq/cluster-operator#648; Sieve, OSDI 2022, figure 5.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    gone = written.prev
    if written.verb != "delete" or written.user != database_operator.user or gone is None:
        return
    database = database_of(seen, gone.namespace, gone.labels.get(NAME_LABEL, ""))
    if database is None or database.uid != gone.labels.get(UID_LABEL):
        return
    has_ended = isinstance(gone, Pod) and is_pod_terminal(gone)
    assert has_ended or _was_surplus(seen, database, member_of(gone)), (
        f"{gone.kind} {gone.key} was deleted, and Database {database.key} (uid {database.uid}) wants "
        f"{members_wanted(database)} members, this one (number {member_of(gone)}) among them"
    )


def _was_surplus(seen: Observer, database: GenericObject, member: int) -> bool:
    """Was there a version of this very Database that didn't want the member?"""
    versions = [change.after for change in seen.history.of(group_kind(database)).changes]
    return any(
        isinstance(version, GenericObject)
        and version.uid == database.uid
        and member >= members_wanted(version)
        for version in versions
    )


@eventually(within="1100s")
def no_claim_is_left_behind(seen: Observer) -> None:
    """Once faults stop, every claim is of a member that a Database wants.

    A claim that nobody wants costs money, and a later member of that number would find old data in it. The bound holds
    the longest time after which an operator that was refused again and again tries once more: 1000 s.
    (instaclustr/cassandra-operator#398; Sieve, OSDI 2022, figure 6; client-go's workqueue/default_rate_limiters.go.)
    """
    for claim in seen.all(PersistentVolumeClaim):
        if UID_LABEL not in claim.labels:
            continue
        database = database_of(seen, claim.namespace, claim.labels.get(NAME_LABEL, ""))
        is_own = database is not None and database.uid == claim.labels[UID_LABEL]
        assert is_own, f"claim {claim.key} is of a Database that is gone"
        assert database is not None
        wanted = members_wanted(database)
        assert member_of(claim) < wanted, (
            f"claim {claim.key} is of member {member_of(claim)}; {database.key} wants {wanted}"
        )


@eventually(within="1100s")
def databases_have_their_members(seen: Observer) -> None:
    """Once faults stop, every Database has a pod for each member that it wants, and those that some node takes run."""
    for database in seen.store.named("Database"):
        if isinstance(database, GenericObject) and database.metadata.deletion_timestamp is None:
            pods = [pod for pod in seen.all(Pod) if pod.labels.get(UID_LABEL) == database.uid]
            good = [pod for pod in pods if pod.status.phase == "Running" or _has_nowhere_to_go(pod)]
            assert len(good) == len(pods) == members_wanted(database), (
                f"{database.key} wants {members_wanted(database)} members and has {len(good)} running of {len(pods)}"
            )


def _has_nowhere_to_go(pod: Pod) -> bool:
    return any(one.type == "PodScheduled" and one.status == "False" for one in pod.status.conditions)


def database_of(seen: Observer, namespace: str, name: str) -> GenericObject | None:
    """The Database of that name, as it is stored now."""
    for database in seen.store.named("Database"):
        if isinstance(database, GenericObject) and (database.namespace, database.name) == (namespace, name):
            return database
    return None
