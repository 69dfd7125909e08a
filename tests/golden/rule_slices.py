"""Endpoints of a Service's slice: each list must be one that the pods and the Service passed through, in order.

An endpoint is a pod that the selector matches, that has an address and has not finished; ready means Ready and
not deleting. Source: staging/src/k8s.io/endpointslice/utils.go podToEndpoint, ShouldPodBeInEndpoints.
Who calls it: `rules`.

Not modelled: Services whose endpoints fill several slices (only judged while there is one); ports; hints.
"""

from __future__ import annotations

from collections.abc import Iterator

from .difference import Difference
from .history import History, Run, is_deleting, labels_of
from .passage import Live, Moment, Passage, moments_of
from .rule_counts import QUIET_SECONDS, is_finished, is_ready, scenario_writes
from .trees import Tree, at, items, mapping, text

Endpoint = tuple[str, str, bool, bool, bool]
_SERVICE_LABEL = "kubernetes.io/service-name"
_MANAGER = ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io")


def wrong_slices(run: Run) -> Iterator[Difference]:
    """Slices that leave out, keep or mark an endpoint as no moment of its inputs did."""
    for service in run.of_kind("Service"):
        slices = [found for found in run.of_kind("EndpointSlice") if _belongs(found, service)]
        if len(slices) != 1:
            continue
        inputs = [commit for commit in run.commits if commit.kind == "Pod" and commit.ns == service.ns]
        inputs = sorted([*inputs, *service.commits], key=lambda commit: commit.rv)
        moments = moments_of(inputs, lambda live, s=service: _endpoints(live, s.uid))  # type: ignore[misc]
        yield from _judge(run, slices[0], moments)


def _judge(run: Run, found: History, moments: list[Moment[frozenset[Endpoint]]]) -> Iterator[Difference]:
    passage = Passage(moments)
    for commit in found.commits:
        written = _written(commit.object)
        if commit.type == "DELETED" or commit.rv in scenario_writes(run):
            continue
        if not passage.allows(commit.rv, lambda seen, w=written: seen == w):  # type: ignore[misc]
            what = f"EndpointSlice {found.name}: its endpoints are none that the pods passed through: {_told(written)}"
            yield Difference(what=what, right=commit)
            return
    last = found.commits[-1]
    is_quiet = run.recording.end - max(moments[-1].time, last.t) > QUIET_SECONDS
    if last.type != "DELETED" and is_quiet and _written(last.object) != moments[-1].value:
        what = f"EndpointSlice {found.name}: its last endpoints {_told(_written(last.object))}"
        yield Difference(what=f"{what} should be {_told(moments[-1].value)}", right=last)


def _belongs(found: History, service: History) -> bool:
    labels = found.first_labels
    is_ours = labels.get(_SERVICE_LABEL) == service.name and found.ns == service.ns
    return is_ours and labels.get(_MANAGER[0]) == _MANAGER[1] and text(found.owner, "uid") == service.uid


def _endpoints(live: Live, service_uid: str) -> frozenset[Endpoint]:
    service = live.get(service_uid, {})
    selector = mapping(service, "spec", "selector")
    keeps_unready = at(service, "spec", "publishNotReadyAddresses") is True
    return frozenset(
        _endpoint(pod, keeps_unready)
        for uid, pod in live.items()
        if uid != service_uid and selector and _is_listed(pod, selector)
    )


def _is_listed(pod: Tree, selector: Tree) -> bool:
    matches = all(labels_of(pod).get(key) == value for key, value in selector.items())
    return matches and bool(text(pod, "status", "podIP")) and not is_finished(pod)


def _endpoint(pod: Tree, keeps_unready: bool) -> Endpoint:
    serving, terminating = is_ready(pod), is_deleting(pod)
    ready = keeps_unready or (serving and not terminating)
    return (text(pod, "status", "podIP"), text(pod, "metadata", "name"), ready, serving, terminating)


def _written(tree: Tree) -> frozenset[Endpoint]:
    return frozenset(
        (
            address,
            text(endpoint, "targetRef", "name"),
            at(endpoint, "conditions", "ready") is True,
            at(endpoint, "conditions", "serving") is True,
            at(endpoint, "conditions", "terminating") is True,
        )
        for endpoint in items(tree, "endpoints")
        for address in _addresses(endpoint)
    )


def _addresses(endpoint: Tree) -> list[str]:
    found = at(endpoint, "addresses")
    return [address for address in found if isinstance(address, str)] if isinstance(found, list) else []


def _told(endpoints: frozenset[Endpoint]) -> str:
    marks = ("R", "S", "T")
    told = []
    for _, name, *flags in sorted(endpoints):
        told.append(
            f"{name}[{''.join(mark if flag else '-' for mark, flag in zip(marks, flags, strict=True))}]"
        )
    return " ".join(told) or "none"
