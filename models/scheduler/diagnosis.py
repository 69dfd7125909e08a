"""The words of FailedScheduling: which nodes said what, and whether preemption would have helped. Pure.

Sources: pkg/scheduler/framework/types.go (FitError), pkg/scheduler/framework/preemption/preemption.go and
plugins/defaultpreemption (what they say of nodes where nothing can be gained), plugins/dynamicresources
(its PostFilter always adds that it has no claims to deallocate).

Not modelled: preemption itself. Where evicting pods of lower priority would make room, the real scheduler
deletes them; here the pod stays unschedulable, and `would_help` names the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from chaoskube.models.scheduler.cycle import Diagnosis, ask, prepare
from chaoskube.models.scheduler.framework import Plugin, Rejection
from chaoskube.models.scheduler.nodes import PodInfo, View
from chaoskube.sim import reached

NO_NODES = "no nodes available to schedule pods"
CUT_SHORT = "not found"
"""DynamicResources' PostFilter looks for what its PreFilter would have left, had an earlier plugin not said no to all."""
NO_CLAIMS = "no new claims to deallocate"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "not eligible due to preemptionPolicy=Never."


@frozen(kw_only=True)
class Explanation:
    """The message of the event and of the condition."""

    message: str
    would_help: tuple[str, ...] = ()
    """Nodes where preemption would have made room."""


def explain(diagnosis: Diagnosis, pod: PodInfo, view: View, plugins: Sequence[Plugin]) -> Explanation:
    """Say why no node was found."""
    if diagnosis.all_nodes == 0:
        return Explanation(message=NO_NODES)
    fit = _fit_error(diagnosis)
    if diagnosis.blocked is not None:
        return Explanation(message=f"{fit} {CUT_SHORT}")
    if pod.pod.spec.preemption_policy == "Never":
        return Explanation(message=f"{fit} {NO_CLAIMS}, preemption: {NEVER}")
    answers, would_help = _dry_run(diagnosis, pod, view, plugins)
    if would_help:
        reached("scheduler: preemption would have helped")
        return Explanation(message=fit, would_help=would_help)
    histogram = _histogram(answers)
    head = f"0/{diagnosis.all_nodes} nodes are available:"
    return Explanation(message=f"{fit} {NO_CLAIMS}, preemption: {head} {histogram}.")


def _fit_error(diagnosis: Diagnosis) -> str:
    head = f"0/{diagnosis.all_nodes} nodes are available:"
    if diagnosis.blocked is not None:
        return f"{head} {', '.join(diagnosis.blocked.reasons)}."
    reasons = [reason for each in diagnosis.rejections.values() for reason in each.reasons]
    if diagnosis.narrowed_by:
        absent = f"node(s) didn't satisfy plugin(s) [{' '.join(diagnosis.narrowed_by)}]"
        reasons += [absent] * (diagnosis.all_nodes - len(diagnosis.rejections))
    return f"{head} {_histogram(reasons)}."


def _dry_run(
    diagnosis: Diagnosis, pod: PodInfo, view: View, plugins: Sequence[Plugin]
) -> tuple[list[str], tuple[str, ...]]:
    """What the preemption plugin would say of each node, and the nodes where it would succeed."""
    answers: list[str] = []
    would_help: list[str] = []
    for info in view.nodes:
        rejection = diagnosis.rejections.get(info.name)
        if rejection is None or not rejection.is_resolvable:
            answers.append(NOT_HELPFUL)
            continue
        victims = [each.uid for each in info.pods.values() if each.priority < pod.priority]
        if not victims:
            answers.append(NO_VICTIMS)
            continue
        still = _without(victims, info.name, pod, view, plugins)
        if still is None:
            would_help.append(info.name)
        else:
            answers.extend(still.reasons)
    return answers, tuple(would_help)


def _without(
    victims: Iterable[str], node: str, pod: PodInfo, view: View, plugins: Sequence[Plugin]
) -> Rejection | None:
    """The node's answer if these pods were gone."""
    emptied = next(info for info in view.nodes if info.name == node)
    for uid in victims:
        emptied = emptied.without_pod(uid)
    checks = prepare(pod, view.with_node(emptied), plugins)
    return checks if isinstance(checks, Rejection) else ask(checks, emptied)


def _histogram(reasons: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
