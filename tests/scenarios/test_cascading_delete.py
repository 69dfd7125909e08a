"""Owners that go and come back, in a simulated cluster: what becomes of what they own."""

from __future__ import annotations

import pytest

from chaoskube.action import parse_step
from chaoskube.models.controllers.events import GarbageDecided
from chaoskube.models.objects import Deployment, Pod, ReplicaSet
from chaoskube.models.observer import Observer
from chaoskube.run import Session
from chaoskube.scenarios.cascading_delete import cascading_delete
from chaoskube.sim import SECOND


@pytest.mark.parametrize(
    ("cascade", "left"), [("background", (0, 0, 0)), ("foreground", (0, 0, 0)), ("orphan", (0, 1, 3))]
)
def test_what_a_deployment_leaves_behind(cascade: str, left: tuple[int, int, int]) -> None:
    """Nothing, or, where it orphans, its ReplicaSet with its pods."""
    with Session(cascading_delete(), seed=1) as session:
        session.warm_up()
        session.apply(
            parse_step(f"at 0s delete-deployment deployment=default/worker cascade={cascade}").action
        )
        session.advance_to(50 * SECOND)

        seen = session.subject.observer
        assert isinstance(seen, Observer)
        assert tuple(len(list(seen.all(kind))) for kind in (Deployment, ReplicaSet, Pod)) == left
        decided = [one for one in session.world.journal.entries if isinstance(one.event, GarbageDecided)]
        assert bool(decided) == (cascade != "orphan")


def test_what_leads_is_the_scheduler() -> None:
    """And what it sees of pods: of both there is one."""
    with Session(cascading_delete(), seed=1) as session:
        session.warm_up()

        assert session.targets("leading-process") == ("scheduler-0",)
        for kind in ("watch", "stream"):
            assert session.targets(f"leading-{kind}") == ("watch/pods@*>scheduler-0",)
        assert session.targets("leading-node") == ()
