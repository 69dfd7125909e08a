"""`kubectl wait`: until an object is gone, meets a condition, or has a value somewhere; and how deletions are asked for.

kubectl keeps an informer of the one object, so it follows a watch, falls back to lists, and gives up after its own
time-out alone. A condition that was observed for an older generation doesn't count.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/wait/{wait,condition,delete,json}.go, pkg/cmd/delete/delete.go.
Not modelled: JSONPath beyond names and numbers, as `{.status.conditions[0].type}`; --for=create.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from chaoskube.models.apiserver.api import BACKGROUND, DeleteOptions, Preconditions
from chaoskube.models.client.informer import Informer
from chaoskube.models.kubectl.session import CommandFailed, Kubectl, Target, at
from chaoskube.models.objects import KubeObject, encode
from chaoskube.sim import SECOND, Reply, TimedOut

FOREVER_NS = 7 * 24 * 3600 * SECOND
"""Without a time-out of its own a deletion is waited for a week."""
WAIT_NS = 30 * SECOND

Check = Callable[[KubeObject | None], bool]


@frozen(kw_only=True)
class DeletePolicy:
    """--cascade, --grace-period (None: the object's own), --force, --now."""

    cascade: str = BACKGROUND
    grace_period_seconds: int | None = None
    force: bool = False
    now: bool = False
    uid: str = ""

    def __attrs_post_init__(self) -> None:
        if self.now and self.grace_period_seconds is not None:
            raise CommandFailed("--now and --grace-period cannot be specified together")


def delete_options(policy: DeletePolicy) -> DeleteOptions:
    """What a deletion under this policy asks for; zero seconds without --force become one."""
    grace = 1 if policy.now else policy.grace_period_seconds
    if grace == 0 and not policy.force:
        grace = 1
    if policy.force and grace is None:
        grace = 0
    return DeleteOptions(
        grace_period_seconds=grace,
        propagation_policy=policy.cascade,
        preconditions=Preconditions(uid=policy.uid) if policy.uid else None,
    )


async def wait_until(
    kubectl: Kubectl, target: Target, check: Check, *, timeout_ns: int = WAIT_NS
) -> KubeObject | None:
    """Wait until `check` says yes of the object as it is known (None: there is none); what it was then.

    What `check` raises ends the wait. Raises CommandFailed when time runs out.
    """
    reply: Reply[KubeObject | None] = kubectl.process.reply()
    informer = Informer(
        kubectl.client,
        target.resource,
        namespace=target.namespace,
        field_selector=f"metadata.name={target.name}",
    )

    def look(obj: KubeObject | None) -> None:
        try:
            if check(obj):
                reply.set(obj)
        except CommandFailed as failure:
            reply.fail(failure)

    informer.add_handler(on_add=look, on_update=lambda old, new: look(new), on_delete=lambda old: look(None))
    informer.when_synced(lambda: look(None) if not len(informer) else None)
    informer.start()
    try:
        return await reply.wait(timeout_ns)
    except TimedOut:
        raise CommandFailed(f"timed out waiting for the condition on {target}") from None
    finally:
        informer.stop()


async def wait_until_gone(
    kubectl: Kubectl, target: Target, *, uid: str = "", timeout_ns: int = FOREVER_NS
) -> None:
    """`kubectl wait --for=delete`: until it is gone, or another object has its name."""
    live = await kubectl.find(target)
    if live is None or (uid and at(live, "metadata", "uid") != uid):
        return
    known = uid or str(at(live, "metadata", "uid"))
    await wait_until(
        kubectl, target, lambda obj: obj is None or (uid != "" and obj.uid != known), timeout_ns=timeout_ns
    )


async def wait_for_condition(
    kubectl: Kubectl, target: Target, name: str, *, status: str = "True", timeout_ns: int = WAIT_NS
) -> None:
    """`kubectl wait --for=condition=NAME[=STATUS]`; the object has to be there."""

    def check(obj: KubeObject | None) -> bool:
        return condition_is(_there(target, obj), name, status)

    await wait_until(kubectl, target, check, timeout_ns=timeout_ns)


async def wait_for_value(
    kubectl: Kubectl, target: Target, path: str, value: str | None = None, *, timeout_ns: int = WAIT_NS
) -> None:
    """`kubectl wait --for=jsonpath=PATH[=VALUE]`; without a value: until there is one."""

    def check(obj: KubeObject | None) -> bool:
        found = value_at(_there(target, obj), path)
        return found is not None and (value is None or _text(found) == value)

    await wait_until(kubectl, target, check, timeout_ns=timeout_ns)


def condition_is(tree: Mapping[str, Any], name: str, status: str) -> bool:
    """Whether the condition has this status, as of the newest generation."""
    for condition in at(tree, "status", "conditions") or ():
        if str(condition.get("type", "")).lower() != name.lower():
            continue
        observed = condition.get("observedGeneration", at(tree, "status", "observedGeneration"))
        generation = at(tree, "metadata", "generation")
        if observed is not None and generation is not None and observed < generation:
            return False
        return str(condition.get("status", "")).lower() == status.lower()
    return False


def value_at(tree: Mapping[str, Any], path: str) -> Any:
    """What stands at `{.a.b[0].c}`; None where nothing does."""
    found: Any = tree
    for name, index in re.findall(r"\.([^.\[\]{}]+)|\[(\d+)\]", path):
        if name:
            found = found.get(name) if isinstance(found, Mapping) else None
        elif isinstance(found, Sequence) and not isinstance(found, str) and int(index) < len(found):
            found = found[int(index)]
        else:
            found = None
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _there(target: Target, obj: KubeObject | None) -> Mapping[str, Any]:
    if obj is None:
        raise CommandFailed(f"{target.resource} {target.name!r} not found")
    return encode(obj)
