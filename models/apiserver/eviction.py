"""pods/eviction as a flow: ask the budget, say why on the pod, then delete it.

A pod that has ended, waits to start or goes already costs no budget. Else its one budget must allow a disruption, and
is told of it in the same write, before the pod is touched: so two evictions never share the last one, and a crash in
between costs a disruption and not a pod too many. A pod that isn't ready goes freely while the others suffice, if it is
still the version that was looked at. Admission is asked about the eviction alone, not about the deletion that follows.

Source: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from chaoskube.models.apiserver.admission import CREATE
from chaoskube.models.apiserver.api import DELETE, Cause, DeleteOptions, Preconditions, Request, Status
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.bodies import order_of
from chaoskube.models.apiserver.errors import ApiError, bad_request, forbidden, not_found, timeout
from chaoskube.models.apiserver.flow import Context, Flow, Pause
from chaoskube.models.apiserver.keys import key_of, prefix_of
from chaoskube.models.apiserver.queries import check_delete_options, dry_run
from chaoskube.models.apiserver.storage import ask, from_kv, guaranteed_update, read
from chaoskube.models.apiserver.writes import Done, attributes_of, check_preconditions, delete_object
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import (
    FrozenDict,
    KubeObject,
    Pod,
    PodCondition,
    PodDisruptionBudget,
    PodDisruptionBudgetStatus,
    decode,
    get_condition,
    is_pod_ready,
    matches,
)
from chaoskube.models.objects.budgets import DISRUPTION_ALLOWED, SYNC_FAILED, with_allowed_condition
from chaoskube.models.objects.conditions import set_condition
from chaoskube.models.objects.resources import Resource, resource_of
from chaoskube.sim import MILLISECOND, SECOND

DISRUPTED_MAX = 2000
CONFLICT_TRIES = 20
CONFLICT_WAIT_NS = 500 * MILLISECOND
STILL_PROCESSED_SECONDS = 10
_ENDED = ("Succeeded", "Failed")
_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_CREATED = Status(code=201)


@frozen(kw_only=True)
class Permission:
    """What a budget says: the status that it is to have, or nothing to write but a version to insist on."""

    status: PodDisruptionBudgetStatus | None = None
    only_this_version: bool = False


def evict(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """POST pods/NAME/eviction."""
    attributes = attributes_of(CREATE, request, resource, decode(order_of(request, "policy/v1", "Eviction")))
    attributes = yield from ctx.admission.admit(ctx, attributes)
    content = _content(evolve(request, body=attributes.obj))
    yield from ctx.admission.validate(ctx, attributes)
    wanted: Mapping[str, Any] = content.get("deleteOptions") or {}
    check_delete_options(options := _delete_options(wanted))
    request = evolve(request, dry_run=request.dry_run or dry_run({}, DELETE, wanted))
    found = yield from read(key_of(resource, request.namespace, request.name))
    if found is None:
        raise not_found("pods", "", request.name)
    assert isinstance(found, Pod), f"{found.key} holds a {found.kind}"
    budgets = [] if costs_no_budget(found) else (yield from _budgets_of(found))
    if len(budgets) > 1:
        return Done(code=500, body=Status(code=500, message=_SEVERAL))
    only_this_version = bool(budgets) and (yield from _take(ctx, request, found, budgets[0]))
    insists = options.preconditions is not None and options.preconditions.resource_version is not None
    if only_this_version and not insists:
        options = _at_version(options, found.resource_version)
    try:
        yield from _delete(ctx, request, resource, options)
    except ApiError as error:
        if error.status.code == 409 and only_this_version and not insists:
            raise _still_processed(budgets[0]) from error
        raise
    return Done(code=201, body=_CREATED)


def costs_no_budget(pod: Pod) -> bool:
    """Whether the pod disturbs nobody by going (canIgnorePDB)."""
    return pod.status.phase in (*_ENDED, "Pending") or pod.metadata.deletion_timestamp is not None


def permit(budget: PodDisruptionBudget, pod: Pod, now_ns: int) -> Permission:
    """Whether the pod may go, or ApiError (checkAndDecrement)."""
    status = budget.status
    if not is_pod_ready(pod):
        if budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
            return Permission(only_this_version=True)
        if status.current_healthy >= status.desired_healthy > 0:
            return Permission(only_this_version=True)
    if status.observed_generation < budget.metadata.generation:
        raise _still_processed(budget)
    if status.disruptions_allowed < 0:
        why = "pdb disruptions allowed is negative"
        raise forbidden("poddisruptionbudgets", "policy", budget.name, why)
    if len(status.disrupted_pods) > DISRUPTED_MAX:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden("poddisruptionbudgets", "policy", budget.name, why)
    if status.disruptions_allowed == 0:
        raise _refusal(_why_none(budget))
    told = FrozenDict({**status.disrupted_pods, pod.name: now_ns})
    fewer = evolve(status, disruptions_allowed=status.disruptions_allowed - 1, disrupted_pods=told)
    return Permission(
        status=with_allowed_condition(fewer, now_ns) if not fewer.disruptions_allowed else fewer
    )


def _why_none(budget: PodDisruptionBudget) -> str:
    status = budget.status
    condition = get_condition(status.conditions, DISRUPTION_ALLOWED)
    if condition is not None and condition.status == "False" and condition.reason == SYNC_FAILED:
        return (
            f"The disruption budget {budget.name} does not allow evicting pods currently because it failed sync: "
            f"{condition.message}"
        )
    if status.current_healthy <= status.desired_healthy:
        return (
            f"The disruption budget {budget.name} needs {status.desired_healthy} healthy pods and has "
            f"{status.current_healthy} currently"
        )
    return f"The disruption budget {budget.name} does not allow evicting pods currently"


def _still_processed(budget: PodDisruptionBudget) -> ApiError:
    cause = f"The disruption budget {budget.name} is still being processed by the server."
    return _refusal(cause, STILL_PROCESSED_SECONDS)


def _refusal(cause: str, retry_after_seconds: int = 0) -> ApiError:
    return ApiError(
        Status(
            code=429,
            reason="TooManyRequests",
            message=_VIOLATES,
            causes=(Cause(reason="DisruptionBudget", message=cause),),
            retry_after_seconds=retry_after_seconds,
        )
    )


def _budgets_of(pod: Pod) -> Flow[list[PodDisruptionBudget]]:
    """The budgets that select the pod, as etcd has them now; an empty selector selects nothing here."""
    prefix = prefix_of(resource_of("poddisruptionbudgets"), pod.namespace)
    response = yield from ask(etcd.Range(key=prefix, range_end=etcd.prefix_end(prefix)))
    assert isinstance(response, etcd.RangeResponse), f"a range answered with {response!r}"
    found: list[PodDisruptionBudget] = []
    for kv in response.kvs:
        budget = from_kv(kv)
        if not isinstance(budget, PodDisruptionBudget):
            continue
        selector = budget.spec.selector
        is_empty = selector is None or not (selector.match_labels or selector.match_expressions)
        if not is_empty and matches(selector, pod.labels):
            found.append(budget)
    return found


def _take(ctx: Context, request: Request, pod: Pod, budget: PodDisruptionBudget) -> Flow[bool]:
    """Take one disruption from the budget; whether the pod may only go as it was seen."""
    resource = resource_of("poddisruptionbudgets")
    key = key_of(resource, budget.namespace, budget.name)
    current = budget
    for _ in range(CONFLICT_TRIES):
        now = ctx.wall_ns() // SECOND * SECOND
        permission = permit(current, pod, now)
        if permission.status is None or request.dry_run:
            return permission.only_this_version
        try:
            yield from _write_status(ctx, request, resource, key, current, permission.status)
            return False
        except Moved:
            yield Pause(CONFLICT_WAIT_NS)
        newest = yield from read(key)
        if not isinstance(newest, PodDisruptionBudget):
            raise not_found("poddisruptionbudgets", "policy", budget.name)
        current = newest
    raise timeout(f'couldn\'t update PodDisruptionBudget "{budget.name}" due to conflicts', 10)


class Moved(ApiError):
    """A budget changed between its reading and its write."""

    def __init__(self) -> None:
        super().__init__(Status(code=409))


def _write_status(
    ctx: Context,
    request: Request,
    resource: Resource,
    key: str,
    seen: PodDisruptionBudget,
    status: PodDisruptionBudgetStatus,
) -> Flow[None]:
    def change(newest: KubeObject | None) -> Flow[KubeObject]:
        yield from ()
        if newest is None or newest.resource_version != seen.resource_version:
            raise Moved
        return evolve(seen, status=status)

    saved = yield from guaranteed_update(key, seen, change)
    if saved.wrote:
        write = evolve(request, verb="update", resource=resource.plural, name=seen.name, subresource="status")
        write_recorded(ctx, write, resource, saved)


def _delete(ctx: Context, request: Request, resource: Resource, options: DeleteOptions) -> Flow[None]:
    """Say why on the pod, then delete it (addConditionAndDeletePod)."""
    if not request.dry_run:
        version = yield from _say_why(ctx, request, resource, options)
        wanted = options.preconditions
        if wanted is not None and wanted.resource_version is not None:
            options = _at_version(options, version)
    deletion = evolve(request, delete_options=options, body=None)
    yield from delete_object(ctx, deletion, resource, is_admitted=True)


def _say_why(ctx: Context, request: Request, resource: Resource, options: DeleteOptions) -> Flow[str]:
    def change(current: KubeObject | None) -> Flow[KubeObject]:
        yield from ()
        if current is None:
            raise not_found("pods", "", request.name)
        assert isinstance(current, Pod), f"{current.key} holds a {current.kind}"
        check_preconditions(options.preconditions, current)
        return _disrupted(current, ctx.wall_ns())

    saved = yield from guaranteed_update(key_of(resource, request.namespace, request.name), None, change)
    if saved.wrote:
        write_recorded(ctx, request, resource, saved)
    assert saved.obj is not None, "an update leaves an object"
    return saved.obj.resource_version


def _disrupted(pod: Pod, now_ns: int) -> Pod:
    condition = PodCondition(
        type="DisruptionTarget",
        status="True",
        reason="EvictionByEvictionAPI",
        message="Eviction API: evicting",
        last_transition_time=now_ns - now_ns % SECOND,
    )
    return evolve(pod, status=evolve(pod.status, conditions=set_condition(pod.status.conditions, condition)))


def _at_version(options: DeleteOptions, version: str) -> DeleteOptions:
    wanted = options.preconditions or Preconditions()
    return evolve(options, preconditions=evolve(wanted, resource_version=version))


def _content(request: Request) -> Mapping[str, Any]:
    tree = order_of(request, "policy/v1", "Eviction")
    name = (tree.get("metadata") or {}).get("name", "")
    if name and name != request.name:
        raise bad_request("name in URL does not match name in Eviction object")
    return tree


def _delete_options(tree: Mapping[str, Any]) -> DeleteOptions:
    wanted = tree.get("preconditions")
    preconditions = None
    if wanted:
        preconditions = Preconditions(uid=wanted.get("uid"), resource_version=wanted.get("resourceVersion"))
    return DeleteOptions(
        grace_period_seconds=tree.get("gracePeriodSeconds"),
        preconditions=preconditions,
        propagation_policy=tree.get("propagationPolicy"),
    )
