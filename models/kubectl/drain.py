"""`kubectl drain`: close the node, then evict (or delete) what runs on it, and wait until it is gone.

If one pod may not be taken, none is. All are evicted at once; each eviction that a disruption budget refuses (429) is tried
again every 5 s until the time-out of the whole drain; any other refusal is that pod's failure. The node stays closed,
also after a failure. --disable-eviction deletes without asking any budget.

Sources: staging/src/k8s.io/kubectl/pkg/drain/drain.go, pkg/cmd/drain/drain.go.
Not modelled: several nodes in one command (they are drained one after the other), --selector.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from chaoskube.models.apiserver.api import CREATE, ListOptions, Request
from chaoskube.models.client.api import has_cause, is_not_found, status_of
from chaoskube.models.client.pager import list_pages
from chaoskube.models.kubectl.cordon import cordon
from chaoskube.models.kubectl.drain_filters import (
    DrainOptions,
    Verdict,
    daemon_set_of,
    is_long_going,
    judge,
    problems,
)
from chaoskube.models.kubectl.session import CommandFailed, Kubectl, Target
from chaoskube.models.kubectl.wait import DeletePolicy, delete_options
from chaoskube.models.objects import Pod
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import SECOND, Refused, Reply, Unsure

RETRY_NS = 5 * SECOND
"""An eviction that a budget refuses (429), or a namespace that is going, is tried again after this time."""
POLL_NS = 1 * SECOND
CHUNK = 500
Take: TypeAlias = Callable[[Kubectl, Pod, DrainOptions, int | None], Awaitable[Pod | None]]
TRIES_MAX = 10_000
"""A drain without a time-out goes on for ever; here about half a day."""


async def drain(kubectl: Kubectl, node: str, options: DrainOptions | None = None) -> tuple[Pod, ...]:
    """Empty a node; the pods that were taken."""
    options = options or DrainOptions()
    await cordon(kubectl, node)
    verdicts = await _verdicts(kubectl, node, options)
    errors = problems(verdicts)
    if errors:
        raise CommandFailed("; ".join(errors))
    pods = tuple([verdict.pod for verdict in verdicts if verdict.takes])
    deadline = kubectl.process.now + options.timeout_ns if options.timeout_ns else None
    take = _delete if options.disable_eviction else _evict
    replies: list[Reply[str]] = []
    for pod in pods:
        reply: Reply[str] = kubectl.process.reply()
        kubectl.process.spawn(_one, kubectl, pod, options, deadline, take, reply)
        replies.append(reply)
    failures = [failure for reply in replies if (failure := await reply.wait())]
    if failures:
        raise CommandFailed("; ".join(failures))
    return pods


async def _verdicts(kubectl: Kubectl, node: str, options: DrainOptions) -> tuple[Verdict, ...]:
    listing = ListOptions(field_selector=f"spec.nodeName={node}", label_selector=options.pod_selector)
    listed = await list_pages(kubectl.client, "pods", "", listing, page_size=CHUNK)
    verdicts: list[Verdict] = []
    for pod in listed.items:
        assert isinstance(pod, Pod), f"a pod, not {pod!r}"
        owner = daemon_set_of(pod)
        is_there = owner is None or await _is_there(kubectl, pod.namespace, owner.name)
        verdicts.append(judge(pod, options, wall_ns=kubectl.process.wall_ns(), daemon_set_is_there=is_there))
    return tuple(verdicts)


async def _is_there(kubectl: Kubectl, namespace: str, name: str) -> bool:
    return await kubectl.find(Target(resource="daemonsets", namespace=namespace, name=name)) is not None


async def _one(
    kubectl: Kubectl,
    pod: Pod,
    options: DrainOptions,
    deadline: int | None,
    take: Take,
    reply: Reply[str],
) -> None:
    """One pod to its end; the reply is what went wrong, or nothing."""
    try:
        taken = await take(kubectl, pod, options, deadline)
        if taken is not None:
            await _wait_gone(kubectl, taken, options, deadline)
        reply.set("")
    except (Refused, Unsure) as error:
        reply.set(f'error when evicting pods/"{pod.name}" -n "{pod.namespace}": {error}')


async def _evict(kubectl: Kubectl, pod: Pod, options: DrainOptions, deadline: int | None) -> Pod | None:
    """Ask until it is evicted; None when it is gone already."""
    for _ in range(TRIES_MAX):
        if deadline is not None and kubectl.process.now >= deadline:
            raise CommandFailed(f"global timeout reached: {options.timeout_ns // SECOND}s")
        try:
            await kubectl.client.call(_eviction(pod, options))
            return pod
        except Refused as refused:
            if is_not_found(refused):
                return None
            is_going = status_of(refused).code == 403 and has_cause(refused, "NamespaceTerminating")
            if is_going and pod.metadata.deletion_timestamp is not None:
                return pod
            if status_of(refused).code != 429 and not is_going:
                raise
        await kubectl.process.sleep(RETRY_NS)
        pod = await _fresh(kubectl, pod)
    raise CommandFailed(f"tried {TRIES_MAX} times to evict it; give the drain a time-out")


async def _delete(kubectl: Kubectl, pod: Pod, options: DrainOptions, deadline: int | None) -> Pod | None:
    target = Target(resource="pods", namespace=pod.namespace, name=pod.name)
    policy = DeletePolicy(grace_period_seconds=options.grace_period_seconds, force=True)
    asked = (
        delete_options(policy) if options.grace_period_seconds is not None else delete_options(DeletePolicy())
    )
    try:
        await kubectl.delete(target, asked)
    except Refused as refused:
        if not is_not_found(refused):
            raise
        return None
    return pod


async def _fresh(kubectl: Kubectl, pod: Pod) -> Pod:
    """The pod as it is now; errors are left to the next eviction."""
    try:
        found = await kubectl.client.get("pods", pod.namespace, pod.name)
    except (Refused, Unsure):
        return pod
    return found if isinstance(found, Pod) else pod


async def _wait_gone(kubectl: Kubectl, pod: Pod, options: DrainOptions, deadline: int | None) -> None:
    """Until it is gone, or another pod has its name; looks every second."""
    while True:
        try:
            now = await kubectl.client.get("pods", pod.namespace, pod.name)
        except Refused as refused:
            if is_not_found(refused):
                return
            raise
        assert isinstance(now, Pod), f"a pod, not {now!r}"
        if now.uid != pod.uid or is_long_going(now, options, kubectl.process.wall_ns()):
            return
        if deadline is not None and kubectl.process.now >= deadline:
            raise CommandFailed("timed out waiting for it to terminate")
        await kubectl.process.sleep(POLL_NS)


def _eviction(pod: Pod, options: DrainOptions) -> Request:
    body: Tree = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
    }
    if options.grace_period_seconds is not None:
        body["deleteOptions"] = {"gracePeriodSeconds": options.grace_period_seconds}
    return Request(
        verb=CREATE,
        resource="pods",
        namespace=pod.namespace,
        name=pod.name,
        subresource="eviction",
        body=body,
    )
