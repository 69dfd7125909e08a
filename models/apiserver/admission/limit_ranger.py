"""LimitRanger: the defaults of a namespace's LimitRanges for new pods, and their bounds for pods and claims.

It reads this server's cache; a namespace of which the cache holds no LimitRange is asked of etcd, at most every 30 s.
Source: plugin/pkg/admission/limitranger/admission.go. The arithmetic is in `limits.py`.

Not modelled: the resize subresource.
"""

from __future__ import annotations

from chaoskube.models.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Target
from chaoskube.models.apiserver.admission.limits import claim_refusal, pod_refusal, with_defaults
from chaoskube.models.apiserver.admission.plugin import Plugin, read_all, synced
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.objects import KubeObject, LimitRange, PersistentVolumeClaim, Pod
from chaoskube.sim import SECOND

LIVE_NS = 30 * SECOND


class LimitRanger(Plugin):
    """Fills in and refuses what LimitRanges say."""

    name = "LimitRanger"

    def __init__(self) -> None:
        self._live: dict[str, tuple[int, tuple[LimitRange, ...]]] = {}
        """By namespace: until when this is believed, and what etcd said."""

    def admits(self, target: Target) -> bool:
        """New pods."""
        return target.is_on("pods", CREATE)

    def validates(self, target: Target) -> bool:
        """New pods, and claims."""
        return target.is_on("pods", CREATE) or target.is_on("persistentvolumeclaims", CREATE, UPDATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The pod with what it left out."""
        pod = attributes.obj
        assert isinstance(pod, Pod), f"{pod!r} is no pod"
        for limits in (yield from self._limits(ctx, attributes)):
            pod = with_defaults(pod, limits)
        return attributes.with_object(pod)

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Refuses what is out of bounds."""
        old = attributes.old
        if old is not None and old.metadata.deletion_timestamp is not None:
            return
        for limits in (yield from self._limits(ctx, attributes)):
            refusal = refusal_of(attributes.obj, limits)
            if refusal:
                raise attributes.forbidden(refusal)

    def _limits(self, ctx: Context, attributes: Attributes) -> Flow[tuple[LimitRange, ...]]:
        prefix = f"/registry/limitranges/{attributes.namespace}/"
        cache = yield from synced(ctx, attributes, "limitranges")
        cached = _limit_ranges([obj for _, obj in cache.select(prefix)])
        if cached:
            return cached
        believed_until, found = self._live.get(attributes.namespace, (0, ()))
        if believed_until <= ctx.wall_ns():
            found = _limit_ranges((yield from read_all(prefix)))
            self._live[attributes.namespace] = (ctx.wall_ns() + LIVE_NS, found)
        return found


def refusal_of(obj: KubeObject | None, limits: LimitRange) -> str:
    """Why this is out of bounds, "" if it isn't."""
    if isinstance(obj, Pod):
        return pod_refusal(obj, limits)
    assert isinstance(obj, PersistentVolumeClaim), f"{obj!r} is neither a pod nor a claim"
    return claim_refusal(obj, limits)


def _limit_ranges(objects: list[KubeObject]) -> tuple[LimitRange, ...]:
    return tuple([obj for obj in objects if isinstance(obj, LimitRange)])
