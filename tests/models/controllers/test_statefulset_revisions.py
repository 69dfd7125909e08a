"""Revisions: real names, and which one a template is (controller_history.go, stateful_set_control.go)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from attrs import evolve

from chaoskube.models.controllers.statefulset_revisions import (
    choose,
    current_of,
    go_json,
    hash_of,
    new_revision,
    renumbered,
    sorted_revisions,
    surplus,
    template_of,
)
from chaoskube.models.objects import StatefulSetStatus, freeze
from tests.golden.recording import Watched, read_recording
from tests.models.controllers.stateful_making import member, stateful_set

RECORDED = sorted((Path(__file__).parents[2] / "golden" / "recordings").glob("sts-*.jsonl.gz"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_a_revision_has_the_name_that_the_real_one_had(path: Path) -> None:
    """The name is a hash of the patch's bytes: FNV-1 of Go's JSON and the count of collisions."""
    named = {
        record.name: record.object
        for record in read_recording(path).records
        if isinstance(record, Watched) and record.kind == "ControllerRevision" and record.type == "ADDED"
    }

    assert named, f"{path.name} has no revision"
    for name, tree in named.items():
        assert name.endswith(f"-{hash_of(freeze(tree['data']), 0)}")


def test_go_escapes_what_html_would_read() -> None:
    """encoding/json does; a command in a template often holds one of these."""
    assert go_json({"b": "<&>", "a": 1}) == '{"a":1,"b":"\\u003c\\u0026\\u003e"}'


def test_the_template_comes_back_from_its_revision() -> None:
    """ApplyRevision."""
    statefulset = stateful_set(image="v7")

    assert template_of(new_revision(statefulset, 1, 0)) == statefulset.spec.template


def test_a_collision_makes_another_name() -> None:
    """The count goes into the hash."""
    assert new_revision(stateful_set(), 1, 0).name != new_revision(stateful_set(), 1, 1).name


def test_going_back_renumbers_the_old_revision() -> None:
    """sts-rollback-revisions: no new revision, the old one becomes the newest."""
    first, second = new_revision(stateful_set(), 1, 0), new_revision(stateful_set(image="v2"), 2, 0)

    assert choose(stateful_set(image="v2"), (first, second), 0).renumber is None
    assert choose(stateful_set(image="v2"), (first, second), 0).update is second
    back = choose(stateful_set(), (first, second), 0)
    assert (back.update, back.renumber, back.create) == (first, 3, False)
    new = choose(stateful_set(image="v3"), (first, second), 0)
    assert (new.update.revision, new.create) == (3, True)
    assert [one.revision for one in sorted_revisions((renumbered(first, 3), second))] == [2, 3]


def test_the_current_revision_is_what_the_status_names() -> None:
    """Or the update revision, when nothing was recorded or it is gone."""
    first, second = new_revision(stateful_set(), 1, 0), new_revision(stateful_set(image="v2"), 2, 0)
    named = stateful_set(status=StatefulSetStatus(current_revision=first.name))

    assert current_of(named, (first, second), second) is first
    assert current_of(named, (second,), second) is second


def test_history_keeps_what_is_used_and_ten_more() -> None:
    """Oldest first; a revision that a pod still has is live."""
    statefulset = stateful_set()
    revisions = [new_revision(stateful_set(image=f"v{number}"), number, 0) for number in range(14)]
    pod = member(statefulset, 0, revision=revisions[0].name)

    gone = surplus(statefulset, (pod,), revisions, (revisions[13],))

    assert [one.revision for one in gone] == [1, 2]
    none = evolve(statefulset, spec=evolve(statefulset.spec, revision_history_limit=0))
    assert len(surplus(none, (pod,), revisions, (revisions[13],))) == 12


def test_recordings_are_there() -> None:
    """The names above are worth something only if real ones are compared."""
    assert RECORDED
    with gzip.open(RECORDED[0], "rt") as lines:
        assert json.loads(next(iter(lines)))["rec"] == "meta"
