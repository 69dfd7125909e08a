"""The simulated control plane does what the recorded one did.

The committed recordings pass whole. `--golden DIR` plays others: a recording that differs fails with both
stories side by side, one that cannot be played yet is skipped with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.models.controllers import node_health
from chaoskube.sim import MILLISECOND, SECOND, UsageError, World
from tests.etcd_recordings.known import KNOWN, surprises

from . import player
from .control_plane import ControlPlane, build_control_plane
from .etcd_parts import EtcdParts
from .player import play_and_compare, why_not
from .recording import Recording, read_recording
from .story import side_by_side

HERE = Path(__file__).parent / "recordings"


def test_the_simulation_does_what_was_recorded(recorded: Path, verdicts: list[str]) -> None:
    """Fidelity is measured, not claimed."""
    try:
        recording = read_recording(recorded)
    except UsageError as error:
        verdicts.append(f"{recorded.name}: cannot play because it cannot be read: {error}")
        pytest.fail(str(error), pytrace=False)
    if recording.meta.group == "etcd":
        _held_against_our_etcd(recording, verdicts)
        return
    reason = why_not(recording)
    if reason:
        verdicts.append(f"{recording.name}: cannot play because {reason}")
        pytest.skip(reason)
    ours, found = play_and_compare(recording)
    if found:
        verdicts.append(f"{recording.name}: differs at {found[0].time:.3f} s: {found[0].what}")
        more = "\n".join(f"{one.time:8.3f} {one.what}" for one in found[1:12])
        pytest.fail(f"{side_by_side(recording, ours, found[0])}\n\nmore differences:\n{more}", pytrace=False)
    verdicts.append(f"{recording.name}: same")


def _held_against_our_etcd(recording: Recording, verdicts: list[str]) -> None:
    """Recordings of etcd alone have a player of their own."""
    found = surprises(recording)
    if found:
        verdicts.append(f"{recording.name}: differs: {found[0]}")
        pytest.fail("\n".join(found[:20]), pytrace=False)
    known = len(KNOWN.get(recording.name, ()))
    verdicts.append(f"{recording.name}: same{f', but for {known} known difference' if known else ''}")


def test_a_grace_period_of_twenty_seconds_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """node-short-silence is a node silent for 30 s to which nothing happens: only true if the grace is longer."""
    monkeypatch.setattr(node_health, "NODE_MONITOR_GRACE_PERIOD", 20 * SECOND)
    recording = read_recording(HERE / "node-short-silence.jsonl.gz")

    _, found = play_and_compare(recording)

    assert any(one.what.startswith("Node node-1") for one in found), found
    assert any("Ready False" in one.what for one in found), found


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("deploy-rolling-one-replica", 5),
        ("svc-rolling-update-endpoints", 3),
        ("sched-priority-order", 8),
        ("node-joins-with-pending-pods", 2),
        ("sts-partition", 5),
        ("sts-volume-claims", 4),
        ("gc-foreground", 3),
        ("namespace-deletion", 9),
    ],
)
def test_what_was_recorded_does_not_hang_on_the_seed(name: str, seed: int) -> None:
    """Other names, other nodes, other choices among equals: the same story."""
    _, found = play_and_compare(read_recording(HERE / f"{name}.jsonl.gz"), seed=seed)

    assert not found


_LATE = [
    *[
        (name, resource)
        for name in ("deploy-rolling-slow-term", "svc-rolling-update-endpoints")
        for resource in ("pods", "replicasets", "nodes")
    ],
    ("sts-partition", "pods"),
    ("sts-rollback-revisions", "controllerrevisions"),
    ("gc-foreground", "replicasets"),
    ("gc-owner-references", "configmaps"),
]


@pytest.mark.parametrize(("name", "resource"), _LATE)
def test_controllers_that_see_late_still_do_what_was_recorded(
    monkeypatch: pytest.MonkeyPatch, name: str, resource: str
) -> None:
    """A watch that is 60 ms late is nothing unusual; it must not make a rollout take what it may not."""

    def late(world: World, manager_starts_ns: int, parts: EtcdParts) -> ControlPlane:
        built = build(world, manager_starts_ns, parts)
        world.network.delay_stream("*", "controller-manager-0", f"watch/{resource}", 60 * MILLISECOND)
        return built

    build = build_control_plane
    monkeypatch.setattr(player, "build_control_plane", late)
    _, found = play_and_compare(read_recording(HERE / f"{name}.jsonl.gz"))

    assert not found
