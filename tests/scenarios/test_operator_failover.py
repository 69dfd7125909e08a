"""The scenario of an operator that is replaced: who leads next, and with which view of the Database."""

from __future__ import annotations

import attrs
import pytest

from chaoskube.action import parse_step
from chaoskube.arguments import CannotApply
from chaoskube.discovery import bug_named, scenario_named
from chaoskube.models.client.events import LeaderStarted
from chaoskube.models.cluster import Cluster
from chaoskube.models.objects import Pod
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenarios.operators.database import UID_LABEL
from chaoskube.scenarios.operators.redeploy import Redeploy
from chaoskube.sim import SECOND

SCENARIO = "operator-failover"
BUG = "op-acts-on-stale-deletion-by-name"


def story(bug: str | None, *, stale: bool = True) -> Result:
    """A redeployment, in the middle of which the view of who waits stands still (or the view of who leads doesn't)."""
    with Session(scenario_named(SCENARIO), seed=1) as session:
        session.warm_up()
        waiting = session.targets("process")[1]
    lines = ["at 1s redeploy custom=Database/databases/orders"]
    if stale:
        lines.append(f"at 3s freeze-stream stream=watch/databases.shop.example@*>{waiting} lasting=30s")
    return play(
        Plan(
            scenario=scenario_named(SCENARIO),
            steps=tuple(parse_step(line) for line in lines),
            duration_ns=30 * SECOND,
            seed=1,
            bug=bug_named(bug) if bug else None,
        )
    )


def test_a_redeployment_makes_the_database_anew_and_changes_who_leads_twice() -> None:
    """The leader goes first, and the one that leads then goes when the first is back."""
    with Session(scenario_named(SCENARIO), seed=1) as session:
        session.warm_up()
        assert isinstance(session.subject, Cluster)
        seen = session.subject.observer
        members = {pod.name: pod.uid for pod in seen.all(Pod)}
        first = session.targets("process")[0]
        session.apply(Redeploy(custom="Database/databases/orders"))
        session.advance_to(25 * SECOND)

        again = {pod.name: pod for pod in seen.all(Pod)}
        assert set(again) == set(members)
        assert not {pod.uid for pod in again.values()} & set(members.values())
        assert len({pod.labels[UID_LABEL] for pod in again.values()}) == 1
        leaders = [
            entry.by
            for entry in session.world.journal.entries
            if isinstance(entry.event, LeaderStarted) and entry.by.startswith("database-operator")
        ]
        assert leaders[0] == first and leaders[-3:] == [first, leaders[-2], first] and leaders[-2] != first


def test_only_the_replicas_and_what_tells_them_of_databases_can_be_hit() -> None:
    """The rest of the cluster is the business of other scenarios."""
    with Session(scenario_named(SCENARIO), seed=1) as session:
        session.warm_up()
        replicas = {"database-operator-0", "database-operator-1"}
        assert set(session.targets("process")) == replicas
        assert set(session.targets("stream")) == {f"watch/databases.shop.example@*>{one}" for one in replicas}


@pytest.mark.parametrize(
    ("bug", "stale", "is_found"), [(BUG, True, True), (None, True, False), (BUG, False, False)]
)
def test_who_goes_by_names_deletes_what_another_database_wants(
    bug: str | None, stale: bool, is_found: bool
) -> None:
    """With the view of the past; who looks at uids, or sees what is, deletes nothing."""
    failure = story(bug, stale=stale).failure

    assert (failure is not None) is is_found
    assert failure is None or failure.name == "operator-deletes-only-what-is-not-wanted"


def test_where_nothing_operates_there_is_nothing_to_redeploy() -> None:
    """Said as what it is: the action cannot be done."""
    made = scenario_named(SCENARIO)
    with Session(attrs.evolve(made, setup={**made.setup, "operators": []}), seed=1) as session:
        session.warm_up()
        with pytest.raises(CannotApply, match="redeploy replaces operators, and this scenario runs none"):
            session.apply(Redeploy(custom="Database/databases/orders"))
