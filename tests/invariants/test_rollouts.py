"""What a rolling update may do, as the real controller counts it."""

from __future__ import annotations

from chaoskube.invariants.rollouts import rollout_stays_within_surge, rollout_stays_within_unavailable
from chaoskube.models.observer import ReplicaSetScaleDecided
from chaoskube.sim import Entry


def said(
    invariant: object, *, old: int, new: int, total: int, available: int, own: int, surge: int = 1
) -> str | None:
    """What the invariant says of one decision of a Deployment with three replicas and maxUnavailable 0."""
    decided = ReplicaSetScaleDecided(
        deployment="default/web",
        replicaset="default/web-1",
        old=old,
        new=new,
        replicas=3,
        max_surge=surge,
        max_unavailable=0,
        total=total,
        available=available,
        own_available=own,
        rolling=True,
        is_new_object=False,
    )
    assert hasattr(invariant, "ask"), "an invariant can be asked"
    message = invariant.ask(None, Entry(seq=1, at=0, by="controller-manager-0", event=decided), {})
    assert message is None or isinstance(message, str)
    return message


def test_an_available_replica_that_is_needed_may_not_go() -> None:
    """rolling.go: only what is available above the minimum is scaled down."""
    assert said(rollout_stays_within_unavailable, old=3, new=2, total=4, available=4, own=3) is None
    assert said(rollout_stays_within_unavailable, old=3, new=2, total=4, available=3, own=3) == (
        "Deployment default/web needs 3 available pods and has 3, yet default/web-1 is scaled from 3 to 2"
    )


def test_replicas_that_are_not_available_may_all_go() -> None:
    """cleanupUnhealthyReplicas: also when another ReplicaSet has more available replicas than it wants now."""
    assert said(rollout_stays_within_unavailable, old=2, new=0, total=4, available=3, own=0) is None
    assert said(rollout_stays_within_unavailable, old=2, new=0, total=5, available=3, own=1) is not None


def test_no_more_than_replicas_and_surge_are_asked_for() -> None:
    """NewRSNewReplicas: the sum of all sizes stays below replicas + maxSurge."""
    assert said(rollout_stays_within_surge, old=0, new=1, total=3, available=3, own=0) is None
    assert said(rollout_stays_within_surge, old=0, new=2, total=3, available=3, own=0) is not None
