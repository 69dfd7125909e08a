"""A label on a Deployment is written, and moves no pod."""

from __future__ import annotations

from chaoskube.action import parse_action
from chaoskube.corpus import words
from chaoskube.discovery import scenario_named
from chaoskube.models.cluster import Cluster
from chaoskube.models.objects import Deployment, Pod, ReplicaSet
from chaoskube.run import Session
from chaoskube.sim import SECOND

KEY = "default/worker"


def test_a_label_is_written_and_nothing_moves() -> None:
    """pkg/controller/deployment: only the pod template makes a new ReplicaSet."""
    with Session(scenario_named("scale-storm")) as session:
        session.warm_up()
        assert isinstance(session.subject, Cluster)
        seen = session.subject.observer
        before = [[one.uid for one in seen.all(kind)] for kind in (ReplicaSet, Pod)]
        session.apply(parse_action(f"label deployment={KEY} team=team-b"))
        result = session.finish(5 * SECOND)
        labelled = seen.get(Deployment, KEY)
        after = [[one.uid for one in seen.all(kind)] for kind in (ReplicaSet, Pod)]

    assert result.failure is None
    assert labelled is not None and labelled.labels["team"] == "team-b"
    assert after == before


def test_teams_are_labels_that_the_api_takes() -> None:
    """63 characters of lower-case letters, digits and dashes; the simplest first, the same in every process."""
    teams = words("team")

    assert teams[0] == "default"
    assert len(teams) > 20
    assert all(len(team) <= 63 and team.strip("-").replace("-", "").isalnum() for team in teams)
