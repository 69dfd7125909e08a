"""Priority: a new pod gets its class's priority, and there is one default class at most.

A pod's class must be in this server's cache of classes: one made a moment ago through another server may not be
there yet, and the pod is refused. The two system classes are known without being objects.
Source: plugin/pkg/admission/priority/admission.go.

Not modelled: the system classes as objects that a list shows; priorities of pod groups.
"""

from __future__ import annotations

from attrs import evolve, frozen

from chaoskube.models.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects import KubeObject, Pod, PriorityClass
from chaoskube.sim import ModelBug

PREEMPT_LOWER = "PreemptLowerPriority"
SYSTEM_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}


class Priority(Plugin):
    """Turns the name of a class into a number."""

    name = "Priority"

    def admits(self, target: Target) -> bool:
        """Pods, also when they change."""
        return target.is_on("pods", CREATE, UPDATE)

    def validates(self, target: Target) -> bool:
        """The classes themselves."""
        return target.is_on("priorityclasses", CREATE, UPDATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The pod with its priority."""
        pod = attributes.obj
        assert isinstance(pod, Pod), f"{pod!r} is no pod"
        if attributes.operation == UPDATE:
            assert isinstance(attributes.old, Pod), f"{attributes.old!r} is no pod"
            return attributes.with_object(with_old_priority(pod, attributes.old))
        cache = yield from synced(ctx, attributes, "priorityclasses")
        return attributes.with_object(with_priority(attributes, pod, listed_classes(cache)))

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Refuses a second default class."""
        cache = yield from synced(ctx, attributes, "priorityclasses")
        check_default_class(attributes, listed_classes(cache))


@frozen(kw_only=True)
class Class:
    """What a pod copies of its class."""

    name: str | None
    value: int
    policy: str
    is_default: bool = False


def listed_classes(cache: WatchCache) -> tuple[Class, ...]:
    """What the cache holds, by name."""
    return tuple([_class(obj) for _, obj in cache.select("/registry/priorityclasses/")])


def _class(obj: KubeObject) -> Class:
    if isinstance(obj, PriorityClass):
        policy = obj.preemption_policy or PREEMPT_LOWER
        return Class(name=obj.name, value=obj.value, policy=policy, is_default=obj.global_default)
    raise ModelBug(f"a PriorityClass is stored as {obj!r}")


def with_priority(attributes: Attributes, pod: Pod, classes: tuple[Class, ...]) -> Pod:
    """The priority of the pod's class, of the default class, or 0; a pod may not ask for another."""
    chosen = _class_of(attributes, pod, classes)
    spec = pod.spec
    if spec.priority is not None and spec.priority != chosen.value:
        raise attributes.forbidden(
            f"the integer value of priority ({spec.priority}) must not be provided in pod spec; "
            f"priority admission controller computed {chosen.value} from the given PriorityClass name"
        )
    if spec.preemption_policy is not None and spec.preemption_policy != chosen.policy:
        raise attributes.forbidden(
            f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be provided in pod spec; "
            f"priority admission controller computed {chosen.policy} from the given PriorityClass name"
        )
    spec = evolve(
        spec, priority_class_name=chosen.name, priority=chosen.value, preemption_policy=chosen.policy
    )
    return evolve(pod, spec=spec)


def _class_of(attributes: Attributes, pod: Pod, classes: tuple[Class, ...]) -> Class:
    """The class that holds for this pod."""
    name = pod.spec.priority_class_name
    if name in SYSTEM_PRIORITIES:
        return Class(name=name, value=SYSTEM_PRIORITIES[name], policy=PREEMPT_LOWER)
    if name:
        found = next((one for one in classes if one.name == name), None)
        if found is None:
            raise attributes.forbidden(f"no PriorityClass with name {name} was found")
        return found
    return default_class(classes) or Class(name=None, value=0, policy=PREEMPT_LOWER)


def default_class(classes: tuple[Class, ...]) -> Class | None:
    """The class of pods that name none; of several (servers race) the one with the lowest value."""
    return min([one for one in classes if one.is_default], key=lambda one: one.value, default=None)


def check_default_class(attributes: Attributes, classes: tuple[Class, ...]) -> None:
    """At most one class is the default, as far as this server has heard."""
    found = default_class(classes)
    obj = attributes.obj
    assert obj is not None, "a class that is written is an object"
    if found is None or not _class(obj).is_default:
        return
    if attributes.operation == CREATE or found.name != obj.name:
        raise attributes.forbidden(f"PriorityClass {found.name} is already marked as globalDefault")


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
