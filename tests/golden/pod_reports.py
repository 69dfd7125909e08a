"""What the stand-in kubelet says about a pod: its status as a strategic merge patch, and its annotations read.

The words are those of the recordings' fake kubelet. Who calls it: `stand_in_kubelet`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import field, frozen

from .node_reports import stamp
from .trees import Json, Tree, items, mapping, number, text

_PREFIX = "oracle.sim/"
FIRST_RESTART_SECONDS = 0.5
RESTART_STEP_SECONDS = 2.0
RESTART_MAX_SECONDS = 10.0


@frozen(kw_only=True)
class Behaviour:
    """How a pod behaves, from its annotations; times in seconds."""

    start: float = 0.4
    ready: float | None = 0.2
    term: float = 0.3
    term_code: int = 0
    exit_code: int | None = None
    exit_after: float = 0.0


def behaviour_of(pod: Tree, pods_before: int) -> Behaviour:
    """Read the annotations; `pods_before`: how many pods of its owner ran before."""
    notes = mapping(pod, "metadata", "annotations")

    def seconds(name: str, default: float) -> float:
        found = text(notes, _PREFIX + name)
        return float(found) if found else default

    ready = text(notes, _PREFIX + "ready")
    ends = _ending(notes, pod, pods_before)
    return Behaviour(
        start=seconds("start", 0.4),
        ready=None if ready == "never" else seconds("ready", 0.2),
        term=seconds("term", 0.3),
        term_code=int(seconds("term-code", 0)),
        exit_code=ends[0] if ends else None,
        exit_after=ends[1] if ends else 0.0,
    )


def _ending(notes: Tree, pod: Tree, pods_before: int) -> tuple[int, float] | None:
    by_index = text(notes, _PREFIX + "exit-index")
    if by_index:
        labels = mapping(pod, "metadata", "labels")
        index = text(labels, "batch.kubernetes.io/job-completion-index")
        table = json.loads(by_index)
        return _code_at(str(table.get(index, table.get("*", ""))))
    sequence = text(notes, _PREFIX + "exit-seq")
    if sequence:
        codes, _, after = sequence.partition("@")
        listed = codes.split(",")
        return _code_at(f"{listed[min(pods_before, len(listed) - 1)]}@{after}")
    return _code_at(text(notes, _PREFIX + "exit"))


def _code_at(words: str) -> tuple[int, float] | None:
    code, _, after = words.partition("@")
    return (int(code), float(after or "0")) if code.lstrip("-").isdigit() else None


@frozen(kw_only=True)
class PodReport:
    """One status of a pod, as its node tells it."""

    phase: str
    ready: bool
    containers: Sequence[str]
    states: Sequence[Tree]
    restarts: int = 0
    last_state: Tree = field(factory=dict)
    pod_ip: str = ""
    host_ip: str = ""
    started_at: str = ""


def status_patch(pod: Tree, report: PodReport, wall_ns: int) -> Tree:
    """The body of the PATCH; the transition times of conditions that stay are kept."""
    status: dict[str, Json] = {
        "observedGeneration": number(pod, "metadata", "generation"),
        "phase": report.phase,
        "conditions": [_condition(pod, *one, wall_ns) for one in _conditions(report)],
        "hostIP": report.host_ip,
        "hostIPs": [{"ip": report.host_ip}],
        "startTime": report.started_at,
        "containerStatuses": _container_statuses(pod, report),
    }
    if report.pod_ip:
        status |= {"podIP": report.pod_ip, "podIPs": [{"ip": report.pod_ip}]}
    return {"status": status}


def _conditions(report: PodReport) -> list[tuple[str, bool, str]]:
    has_ended = report.phase in ("Succeeded", "Failed")
    reason = (
        "PodCompleted" if report.phase == "Succeeded" else "PodFailed" if has_ended else "ContainersNotReady"
    )
    unready = "" if report.ready else reason
    return [
        ("PodReadyToStartContainers", report.phase != "Pending", ""),
        ("Initialized", True, reason if report.phase == "Succeeded" else ""),
        ("Ready", report.ready, unready),
        ("ContainersReady", report.ready, unready),
    ]


def _condition(pod: Tree, kind: str, holds: bool, reason: str, wall_ns: int) -> Tree:
    status = "True" if holds else "False"
    before: Tree = next((c for c in items(pod, "status", "conditions") if text(c, "type") == kind), {})
    same = text(before, "status") == status
    names = [text(container, "name") for container in items(pod, "spec", "containers")]
    unready = (
        f"containers with unready status: [{' '.join(names)}]" if reason == "ContainersNotReady" else None
    )
    return {
        "type": kind,
        "observedGeneration": number(pod, "metadata", "generation"),
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": text(before, "lastTransitionTime") if same else stamp(wall_ns),
        "reason": reason or None,
        "message": unready,
    }


def _container_statuses(pod: Tree, report: PodReport) -> list[Json]:
    return [
        {
            "name": text(container, "name"),
            "state": state,
            "lastState": report.last_state,
            "ready": report.ready,
            "restartCount": report.restarts,
            "image": text(container, "image"),
            "imageID": "",
            "started": "running" in state,
        }
        for container, state in zip(items(pod, "spec", "containers"), report.states, strict=False)
    ]


def restart_delay(restarts: int) -> float:
    """Seconds until the containers run again."""
    return (
        FIRST_RESTART_SECONDS if restarts <= 1 else min(RESTART_STEP_SECONDS * restarts, RESTART_MAX_SECONDS)
    )
