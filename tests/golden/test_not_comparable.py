"""The list of what cannot be compared is short, says why, and excuses nothing else."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from .compare import compare
from .difference import Difference
from .not_comparable import KNOWN, has_two_managers, without_known
from .recording import Command, Control, OwnWatch, Recording, Watched, read_recording, replaced
from .trees import as_tree

HERE = Path(__file__).parent / "recordings"


def recorded(name: str) -> Recording:
    return read_recording(HERE / f"{name}.jsonl.gz")


def test_every_entry_gives_a_reason() -> None:
    """A looser rule needs a source, not a wish."""
    assert all(len(reason) > 20 for entries in KNOWN.values() for _, reason in entries)


@pytest.mark.parametrize(
    "what",
    [
        "POST /api/v1/namespaces/control-etcd-killed/configmaps: answered 201, here 500 : etcdserver: request timed out",
        "ConfigMap during has no like",
        "Pod web-a came before the wish of ReplicaSet web for it",
        "ReplicaSet web-a: status (replicas=1) is none that its inputs passed through",
    ],
)
def test_answers_and_rules_are_never_excused(what: str) -> None:
    """etcd's absence may change when a pod is made, not what the API says or what a controller may do."""
    difference = Difference(what=what)

    assert without_known(recorded("control-etcd-killed"), [difference]) == [difference]


def test_a_lease_that_changed_hands_once_more_is_a_difference() -> None:
    """Renewals are milliseconds; holders and transitions are not."""
    real = recorded("control-leader-election")
    last = [record for record in real.records if isinstance(record, OwnWatch)][-1]
    spec = {**as_tree(last.object["spec"]), "holderIdentity": "somebody", "leaseTransitions": 3}
    stolen = attrs.evolve(last, object={**last.object, "spec": spec})
    faulty = replaced(real, [*real.records, stolen])

    assert any("holders were" in one.what for one in compare(real, faulty))


def test_a_missing_event_of_a_watch_is_a_difference() -> None:
    """The watches that a scenario opens on purpose are compared event by event."""
    real = recorded("api-gone-410")
    told = [record for record in real.records if isinstance(record, OwnWatch)]
    faulty = replaced(real, [record for record in real.records if record is not told[1]])

    found = compare(real, faulty)

    assert len(found) == 1
    assert found[0].what.startswith(
        'watch old-rv-in-cache: ADDED ConfigMap b1: metadata.name is "b1", here "b2"'
    )


def test_two_managers_are_held_to_where_they_end() -> None:
    """A pod too many at the end is a difference even where histories are free."""
    real = recorded("control-scheduler-down")
    both = replaced(
        real, [Control(t=0.0, op="start", component="second kube-controller-manager"), *real.records]
    )
    pods = [record for record in both.records if isinstance(record, Watched) and record.kind == "Pod"]
    extra = attrs.evolve(
        pods[-1],
        object={**pods[-1].object, "metadata": {**as_tree(pods[-1].object["metadata"]), "uid": "another"}},
    )
    assert has_two_managers(both) and not compare(both, both)

    found = compare(both, replaced(both, [*both.records, extra]))

    assert any("3 at the end, here 4" in one.what for one in found)
    assert not [one for one in found if isinstance(one.left, Command)]
