"""Admission's Priority plug-in: a new pod gets its class's priority, and there is one default class at most. Pure but
for one wait.

A pod's class must be in this server's cache of classes: one made a moment ago through another server may not be
there yet, and the pod is refused. The two system classes are known without being objects.
Source: plugin/pkg/admission/priority/admission.go. Called by `admission.py`.

Not modelled: the system classes as objects that a list shows.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.errors import forbidden
from chaoskube.models.apiserver.flow import Context, Flow, UntilCached
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects import GenericObject, KubeObject, Pod
from chaoskube.models.objects.resources import Resource

PREEMPT_LOWER = "PreemptLowerPriority"
SYSTEM_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}


def known_classes(ctx: Context, obj: KubeObject, resource: Resource) -> Flow[tuple[KubeObject, ...]]:
    """All classes that this server has heard of: the plug-in asks its informer, never etcd."""
    cache = ctx.cache("priorityclasses")
    if not cache.is_ready:
        yield UntilCached("priorityclasses", 0)
    if not cache.is_ready:
        raise forbidden(resource.plural, resource.group, obj.name, "not yet ready to handle request")
    return listed_classes(cache)


def listed_classes(cache: WatchCache) -> tuple[KubeObject, ...]:
    """What the cache holds, by name."""
    return tuple(obj for _, obj in cache.select("/registry/priorityclasses/", None))


def with_priority(pod: Pod, classes: tuple[KubeObject, ...] = ()) -> Pod:
    """The priority of the pod's class, of the default class, or 0; a pod may not ask for another."""
    name, computed, policy = _class_of(pod, classes)
    spec = pod.spec
    if spec.priority is not None and spec.priority != computed:
        why = (
            f"the integer value of priority ({spec.priority}) must not be provided in pod spec; "
            f"priority admission controller computed {computed} from the given PriorityClass name"
        )
        raise forbidden("pods", "", pod.name, why)
    if spec.preemption_policy is not None and spec.preemption_policy != policy:
        why = (
            f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
        raise forbidden("pods", "", pod.name, why)
    return evolve(
        pod, spec=evolve(spec, priority_class_name=name, priority=computed, preemption_policy=policy)
    )


def _class_of(pod: Pod, classes: tuple[KubeObject, ...]) -> tuple[str | None, int, str]:
    """Name, value and preemption policy of the class that holds for this pod."""
    name = pod.spec.priority_class_name
    if name in SYSTEM_PRIORITIES:
        return name, SYSTEM_PRIORITIES[name], PREEMPT_LOWER
    if name:
        found = next((one for one in classes if one.name == name), None)
        if found is None:
            raise forbidden("pods", "", pod.name, f"no PriorityClass with name {name} was found")
    else:
        found = default_class(classes)
        if found is None:
            return None, 0, PREEMPT_LOWER
    assert isinstance(found, GenericObject)
    return found.name, found.content.get("value", 0), found.content.get("preemptionPolicy", PREEMPT_LOWER)


def default_class(classes: tuple[KubeObject, ...]) -> GenericObject | None:
    """The class of pods that name none; of several (servers race) the one with the lowest value."""
    marked = [
        one for one in classes if isinstance(one, GenericObject) and one.content.get("globalDefault") is True
    ]
    return min(marked, key=lambda one: one.content.get("value", 0), default=None)


def check_default_class(obj: KubeObject, classes: tuple[KubeObject, ...], *, is_new: bool) -> None:
    """At most one class is the default, as far as this server has heard."""
    found = default_class(classes)
    if not isinstance(obj, GenericObject) or obj.content.get("globalDefault") is not True or found is None:
        return
    if is_new or found.name != obj.name:
        why = f"PriorityClass {found.name} is already marked as globalDefault"
        raise forbidden("priorityclasses", "scheduling.k8s.io", obj.name, why)


def with_old_priority(new: Pod, old: Pod) -> Pod:
    """A changed pod keeps the priority that it got, when the change leaves it out."""
    priority, policy = new.spec.priority, new.spec.preemption_policy
    if priority is not None and policy is not None:
        return new
    spec = evolve(
        new.spec,
        priority=old.spec.priority if priority is None else priority,
        preemption_policy=old.spec.preemption_policy if policy is None else policy,
    )
    return evolve(new, spec=spec)
