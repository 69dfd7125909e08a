"""Shows runs as stories: one line a record, and a difference as two stories side by side.

The lines are those of the recordings' own `.story.txt` files, so a reader needs one eye only: `>>>` a request,
`<<<` its answer, watch lines with the columns that matter for the kind. The recording is on the left, ours on
the right, from a few lines before the first that differs. Who calls it: the tests' reports, `--golden`.
"""

from __future__ import annotations

import json
from itertools import zip_longest

from .difference import Difference
from .history import controller_of, is_deleting, labels_of
from .recording import Command, Control, Etcd, Kubelet, Load, Record, Recording, Wait, Watched, to_line
from .trees import Tree, at, condition, items, mapping, number, text

BEFORE, AFTER = 4, 8
WIDTH = 96
_COUNTS = (
    ("have", "replicas"),
    ("updated", "updatedReplicas"),
    ("ready", "readyReplicas"),
    ("avail", "availableReplicas"),
    ("unavail", "unavailableReplicas"),
    ("labeled", "fullyLabeledReplicas"),
    ("current", "currentReplicas"),
    ("terminating", "terminatingReplicas"),
)
_ANNOTATIONS = (("revision", "revision"), ("desired", "desired-replicas"), ("max", "max-replicas"))
_TOLD_CONDITIONS = ("Available", "Progressing", "ReplicaFailure", "DisruptionAllowed", "Complete", "Failed")


def story_of(recording: Recording) -> list[str]:
    """The whole run, in the order of its lines."""
    return [line for record in recording.records for line in lines_of(record)]


def lines_of(record: Record) -> list[str]:
    """A record as one line, a request as two."""
    if isinstance(record, Watched):
        words = f"rv={record.rv:<6} {record.type:<8} {record.kind:<11} {record.name}  {_told(record)}"
        return [f"{record.t:8.3f} {words}".rstrip()]
    if isinstance(record, Command):
        body = "" if record.body is None else json.dumps(record.body, separators=(",", ":"))
        return [
            f"{record.t:8.3f} >>> {record.verb} {record.path} {body}".rstrip(),
            f"{'':13}<<< {_answer(record)}",
        ]
    if isinstance(record, Kubelet):
        return [f"{record.t:8.3f} *** kubelet {record.op} {record.args}"]
    if isinstance(record, Wait):
        return [
            f"{record.t:8.3f} ... {'waited' if record.reached else 'gave up waiting'} until: {record.until}"
        ]
    line = {key: value for key, value in to_line(record).items() if key != "t"}
    mark = "***" if isinstance(record, (Control, Etcd, Load)) else "---"
    return [f"{record.t:8.3f} {mark} {json.dumps(line)}"]


def side_by_side(left: Recording, right: Recording, difference: Difference, *, width: int = WIDTH) -> str:
    """Both stories around a difference: the recording left, ours right, the lines that differ marked."""
    ours = _window(left, difference.left, difference.time)
    theirs = _window(right, difference.right, difference.time)
    while ours and theirs and ours[0][1] == theirs[0][1] == "":
        del ours[0], theirs[0]
    head = f"  {'recording':<{width}} | ours"
    rows = [difference.what, head, f"  {'-' * width}-+-{'-' * width}"]
    for (ours_marked, one), (theirs_marked, other) in zip_longest(ours, theirs, fillvalue=(False, "")):
        mark = ">" if ours_marked or theirs_marked else " "
        rows.append(f"{mark} {_cut(one, width):<{width}} | {_cut(other, width)}".rstrip())
    return "\n".join(rows)


def _window(run: Recording, marked: Command | Watched | None, time: float) -> list[tuple[bool, str]]:
    """BEFORE lines, the marked record's (or a gap where it should stand), AFTER lines."""
    records = [record for record in run.records if isinstance(record, (Command, Watched, Kubelet, Control))]
    if marked is None:
        place = next((i for i, record in enumerate(records) if record.t > time), len(records))
        before, middle, after = records[:place], [(True, "(nothing)")], records[place:]
    else:
        place = next(i for i, record in enumerate(records) if record is marked or record == marked)
        middle = [(True, line) for line in lines_of(marked)]
        before, after = records[:place], records[place + 1 :]
    lead = [(False, line) for record in before for line in lines_of(record)][-BEFORE:]
    lead = [(False, "")] * (BEFORE - len(lead)) + lead
    return [*lead, *middle, *[(False, line) for record in after[:AFTER] for line in lines_of(record)][:AFTER]]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _answer(command: Command) -> str:
    if command.status is None:
        return "no answer"
    if text(command.response, "kind") == "Status":
        return f"{command.status} {text(command.response, 'reason')}: {text(command.response, 'message')}"
    version = text(command.response, "metadata", "resourceVersion")
    return f"{command.status} rv={version} gen={at(command.response, 'metadata', 'generation')}"


def _told(record: Watched) -> str:
    tree = record.object
    if record.kind == "Event":
        about = mapping(tree, "involvedObject")
        count = number(tree, "count", default=1)
        words = f"{text(tree, 'reason')} {text(about, 'kind')}/{text(about, 'name')}: {text(tree, 'message')}"
        return words + (f" x{count}" if count > 1 else "")
    parts = [*_going(tree), *_of_kind(record.kind, tree)]
    for annotation, name in _ANNOTATIONS:
        value = text(mapping(tree, "metadata", "annotations"), f"deployment.kubernetes.io/{name}")
        parts += [f"{annotation}={value}"] if value else []
    told = (found for found in items(tree, "status", "conditions") if text(found, "type") in _TOLD_CONDITIONS)
    parts += [f"{text(found, 'type')}={text(found, 'status')}({text(found, 'reason')})" for found in told]
    return " ".join(parts)


def _going(tree: Tree) -> list[str]:
    parts = (
        [f"DELETING(grace={number(tree, 'metadata', 'deletionGracePeriodSeconds')})"]
        if is_deleting(tree)
        else []
    )
    finalizers = at(tree, "metadata", "finalizers")
    if isinstance(finalizers, list) and finalizers:
        parts.append(f"finalizers={','.join(str(name) for name in finalizers)}")
    return parts


def _of_kind(kind: str, tree: Tree) -> list[str]:
    if kind == "Pod":
        return _pod(tree)
    if kind == "EndpointSlice":
        return ["eps=" + " ".join(_endpoint(found) for found in items(tree, "endpoints"))]
    if kind == "Node":
        taints = [f"{text(taint, 'key')}:{text(taint, 'effect')}" for taint in items(tree, "spec", "taints")]
        ready = condition(tree, "Ready")
        return [f"ready={text(ready, 'status')}({text(ready, 'reason')})", f"taints={','.join(taints)}"]
    generation = at(tree, "metadata", "generation")
    if generation is None:
        return []
    parts = [f"gen={generation}/{at(tree, 'status', 'observedGeneration')}"]
    if at(tree, "spec", "replicas") is not None:
        parts.append(f"spec={at(tree, 'spec', 'replicas')}")
    counts = ((short, at(tree, "status", name)) for short, name in _COUNTS)
    return parts + [f"{short}={count}" for short, count in counts if count is not None]


def _pod(tree: Tree) -> list[str]:
    parts = [f"phase={text(tree, 'status', 'phase')}"]
    ready, scheduled = condition(tree, "Ready"), condition(tree, "PodScheduled")
    parts += [f"ready={text(ready, 'status')}"] if ready else []
    parts += [f"node={text(tree, 'spec', 'nodeName')}"] if text(tree, "spec", "nodeName") else []
    parts += [f"gen={at(tree, 'metadata', 'generation')}"]
    nominated = text(tree, "status", "nominatedNodeName")
    parts += [f"nominated={nominated}"] if nominated else []
    parts += [f"sched={text(scheduled, 'reason')}"] if text(scheduled, "status") == "False" else []
    disruption = text(condition(tree, "DisruptionTarget"), "reason")
    parts += [f"disruption={disruption}"] if disruption else []
    digest = labels_of(tree).get("pod-template-hash")
    parts += [f"hash={digest}"] if digest else []
    owner = controller_of(tree)
    return parts + ([f"owner={text(owner, 'kind')}/{text(owner, 'name')}"] if owner else [])


def _endpoint(found: Tree) -> str:
    marks = (("ready", "R"), ("serving", "S"), ("terminating", "T"))
    flags = "".join(mark if at(found, "conditions", name) is True else "-" for name, mark in marks)
    return f"{text(found, 'targetRef', 'name')}[{flags}]"
