"""The comparer refuses a run that lies: each test takes a real recording and changes one thing in it.

Together with `test_real_against_real` this says what the comparer is worth: it accepts what real Kubernetes does
twice, and refuses what it never does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from chaoskube.sim import UsageError

from .compare import compare
from .history import as_run
from .recording import Command, Record, Recording, Watched, read_recording, replaced, write_recording
from .trees import Json, as_tree, items, mapping, number, text

HERE = Path(__file__).parent / "recordings"
Change = Callable[[Record], Record | None]


def _real(name: str) -> Recording:
    return read_recording(HERE / f"{name}.jsonl.gz")


def _lying(recording: Recording, change: Change) -> list[str]:
    """What the comparer says about the recording after `change` was made to every record."""
    changed = (change(record) for record in recording.records)
    return [
        found.what for found in compare(recording, replaced(recording, (r for r in changed if r is not None)))
    ]


def _with(record: Watched, value: Json, *path: str) -> Watched:
    """The watch record with something else at the path of its object."""
    tree = copy.deepcopy(dict(record.object))
    place = tree
    for key in path[:-1]:
        place = place[key]  # type: ignore[assignment]
    place[path[-1]] = value
    return attrs.evolve(record, object=tree)


def _with_condition(record: Watched, kind: str, key: str, value: str) -> Watched:
    """The watch record with one condition of its object changed."""
    changed: list[Json] = [
        {**found, key: value} if found["type"] == kind else found
        for found in items(record.object, "status", "conditions")
    ]
    return _with(record, changed, "status", "conditions") if changed else record


def _first(recording: Recording, wanted: Callable[[Watched], bool]) -> Watched:
    return next(record for record in recording.records if isinstance(record, Watched) and wanted(record))


def _is_bind(record: Watched) -> bool:
    return record.kind == "Pod" and bool(text(record.object, "spec", "nodeName"))


def test_nothing_changed_is_the_same() -> None:
    """Without this, every refusal below would be worthless."""
    assert _lying(_real("deploy-rolling-slow-term"), lambda record: record) == []


def test_a_dropped_bind_is_refused() -> None:
    """A pod whose bind is missing runs without ever having been scheduled."""
    real = _real("deploy-create-3")
    pod = _first(real, _is_bind).name

    def unbound(record: Record) -> Record | None:
        if not isinstance(record, Watched) or record.kind != "Pod" or record.name != pod:
            return record
        spec = {key: value for key, value in mapping(record.object, "spec").items() if key != "nodeName"}
        return _with(record, spec, "spec")

    found = _lying(real, unbound)

    assert any("ran before it was bound" in what for what in found), found
    assert any(what.startswith(f"Pod {pod}: decided") for what in found), found


def test_a_bind_that_is_only_late_is_refused() -> None:
    """The commit of the bind alone is dropped: the node speaks about the pod before anybody saw it bound."""
    real = _real("deploy-create-3")
    bind = _first(real, _is_bind)
    found = _lying(real, lambda record: None if record is bind else record)

    assert found == [f"Pod {bind.name} ran before it was bound"]


def test_a_victim_of_the_wrong_class_is_refused() -> None:
    """A pod that isn't ready must go before one that is; here a ready one went and the other stayed."""
    real = _real("deploy-rolling-slow-term")
    victim = _first(real, lambda r: r.kind == "Pod" and bool(text(r.object, "metadata", "deletionTimestamp")))
    owner = text(victim.object, "metadata", "ownerReferences", "name") or victim.name.rsplit("-", 1)[0]
    survivor = _first(
        real,
        lambda r: r.kind == "Pod" and r.name.startswith(owner) and r.name != victim.name and r.rv > victim.rv,
    ).name

    def unready(record: Record) -> Record:
        if not isinstance(record, Watched) or (record.kind, record.name) != ("Pod", survivor):
            return record
        return _with_condition(record, "Ready", "status", "False")

    found = _lying(real, unready)

    assert any(f"deleted {victim.name}, but {survivor} ranks before it" in what for what in found), found


def test_a_node_that_was_not_among_the_best_is_refused() -> None:
    """The third pod of three joins the first on its node while another node is empty."""
    real = _real("deploy-create-3")
    pods = as_run(real).of_kind("Pod")
    crowded = text(pods[0].last, "spec", "nodeName")

    def crowd(record: Record) -> Record:
        if not isinstance(record, Watched) or record.name != pods[2].name or not _is_bind(record):
            return record
        return _with(record, crowded, "spec", "nodeName")

    found = _lying(real, crowd)

    assert any("was not among the nodes with the top score" in what for what in found), found


def test_a_status_that_its_inputs_never_allowed_is_refused() -> None:
    """Three ready pods before the third is ready: a count made up."""
    real = _real("deploy-create-3")
    early = _first(
        real, lambda r: r.kind == "ReplicaSet" and number(r.object, "status", "readyReplicas") == 1
    )
    found = _lying(real, lambda r: _with(early, 3, "status", "readyReplicas") if r is early else r)

    assert any("none that its inputs passed through" in what for what in found), found


def test_a_deployment_status_that_its_replica_sets_never_had_is_refused() -> None:
    """The same one level up."""
    real = _real("deploy-rolling-slow-term")
    early = _first(
        real, lambda r: r.kind == "Deployment" and number(r.object, "status", "updatedReplicas") == 1
    )
    found = _lying(real, lambda r: _with(early, 3, "status", "updatedReplicas") if r is early else r)

    assert any("none that its inputs passed through" in what for what in found), found


def test_a_last_status_that_is_not_right_is_refused() -> None:
    """Skipping steps is allowed, stopping short is not."""
    real = _real("node-short-silence")
    last = as_run(real).of_kind("Deployment")[0].commits[-1]
    found = _lying(real, lambda record: None if record is last else record)

    assert any("the last status" in what for what in found), found


def test_a_slice_that_keeps_a_pod_too_long_is_refused() -> None:
    """An endpoint still ready in a slice written after later pods went: no moment of the pods looked like that."""
    real = _real("svc-rolling-update-endpoints")
    slices = as_run(real).of_kind("EndpointSlice")[0].commits
    ready, later = slices[6], slices[-1]
    found = _lying(real, lambda r: _with(later, ready.object["endpoints"], "endpoints") if r is later else r)

    assert any("endpoints" in what for what in found), found


def test_a_scale_that_the_arithmetic_never_asks_for_is_refused() -> None:
    """Two old pods at once where maxUnavailable allows one."""
    real = _real("deploy-rolling-slow-term")
    scale = _first(real, lambda r: r.kind == "ReplicaSet" and number(r.object, "metadata", "generation") == 2)
    found = _lying(real, lambda r: _with(scale, 2, "spec", "replicas") if r is scale else r)

    assert any("asks to scale it to 2" in what for what in found), found


def test_a_missing_event_is_refused() -> None:
    """Names and counts of Events are free; that there is one of this reason for this object is not."""
    real = _real("sched-resource-fit")
    gone = _first(real, lambda r: r.kind == "Event" and text(r.object, "reason") == "Scheduled")
    found = _lying(real, lambda record: None if record is gone else record)

    assert found == [f"Event Scheduled of Pod/{text(gone.object, 'involvedObject', 'name')} is missing"]


def test_another_message_of_failed_scheduling_is_refused() -> None:
    """Users read these words; they are the scheduler's reasoning."""
    real = _real("sched-resource-fit")
    said = _first(real, lambda r: r.kind == "Event" and text(r.object, "reason") == "FailedScheduling")
    found = _lying(real, lambda r: _with(said, "0/3 nodes are available.", "message") if r is said else r)

    assert any("FailedScheduling" in what and "0/3 nodes are available.'" in what for what in found), found


def test_a_wrong_condition_reason_is_refused() -> None:
    """Tools wait for reasons; this one would hang them."""
    real = _real("deploy-create-3")
    last = as_run(real).of_kind("Deployment")[0].commits[-1]
    lie = _with_condition(last, "Progressing", "reason", "ReplicaSetUpdated")
    found = _lying(real, lambda r: lie if r is last else r)

    assert any("condition Progressing" in what for what in found), found


def test_an_effect_before_its_cause_is_refused() -> None:
    """A ReplicaSet committed before its Deployment: the same objects, the same sequences, the wrong order."""
    real = _real("deploy-create-3")
    cause = _first(real, lambda r: r.kind == "Deployment")
    effect = _first(real, lambda r: r.kind == "ReplicaSet")
    swap = {id(cause): effect.rv, id(effect): cause.rv}
    found = _lying(
        real, lambda r: attrs.evolve(r, rv=swap[id(r)]) if isinstance(r, Watched) and id(r) in swap else r
    )

    assert any("came before its owner" in what for what in found), found


def test_a_pod_before_its_replica_set_wants_it_is_refused() -> None:
    """The new ReplicaSet's second pod committed before the write that asks for it."""
    real = _real("deploy-rolling-slow-term")
    wish = _first(
        real,
        lambda r: (
            r.kind == "ReplicaSet"
            and number(r.object, "spec", "replicas") == 2
            and number(r.object, "metadata", "generation") == 2
        ),
    )
    pod = _first(real, lambda r: r.kind == "Pod" and r.type == "ADDED" and r.rv > wish.rv)
    swap = {id(wish): pod.rv, id(pod): wish.rv}
    found = _lying(
        real, lambda r: attrs.evolve(r, rv=swap[id(r)]) if isinstance(r, Watched) and id(r) in swap else r
    )

    assert any("came before the wish" in what for what in found), found


def test_a_wrong_answer_code_is_refused() -> None:
    """A stale update that goes through is a lost update."""
    real = _real("api-conflict")
    refused = next(command for command in real.commands if command.status == 409)
    found = _lying(real, lambda r: attrs.evolve(r, status=200) if r is refused else r)

    assert any("answered 409 Conflict" in what for what in found), found


def test_a_wrong_word_in_an_answer_is_refused() -> None:
    """Messages are part of the answer."""
    real = _real("api-conflict")
    refused = next(command for command in real.commands if command.status == 404)
    answer = {**as_tree(refused.response), "message": "no such thing"}
    found = _lying(real, lambda r: attrs.evolve(r, response=answer) if r is refused else r)

    assert any("no such thing" in what for what in found), found


def test_a_pod_too_many_is_refused() -> None:
    """An object without its like in the recording is a difference even if every rule is kept."""
    real = _real("sched-resource-fit")
    pod = _first(real, lambda r: r.kind == "Pod")
    extra = [attrs.evolve(_with(pod, "other", "metadata", "uid"), name="other")]
    found = [difference.what for difference in compare(real, replaced(real, [*extra, *real.records]))]

    assert any("Pod other" in what for what in found), found


def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path) -> None:
    """Anybody's recordings are played, so a broken one must say where."""
    real = _real("api-conflict")
    broken = tmp_path / "broken.jsonl.gz"
    write_recording(
        replaced(real, [*real.records, Command(t=1.0, verb="GET", path="/", status=1, response=None)]), broken
    )
    assert len(read_recording(broken).commands) == len(real.commands) + 1

    import gzip

    with gzip.open(broken, "at") as out:
        out.write('{"t": 2.0, "rec": "dance"}\n')
    with pytest.raises(UsageError, match=rf"broken.jsonl.gz:{len(real.records) + 3}: rec='dance' is no kind"):
        read_recording(broken)
