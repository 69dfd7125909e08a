"""DefaultTolerationSeconds: 300 s of an unreachable or unready node, unless a pod says otherwise.

Source: plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.objects import Pod, Toleration

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
TOLERATION_SECONDS = 300


class DefaultTolerationSeconds(Plugin):
    """Fills in the two tolerations of pods."""

    name = "DefaultTolerationSeconds"

    def admits(self, target: Target) -> bool:
        """Pods, also when they change."""
        return target.is_on("pods", CREATE, UPDATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """What a pod doesn't say of the two taints is said for it."""
        yield from ()
        assert isinstance(attributes.obj, Pod), f"{attributes.obj!r} is no pod"
        return attributes.with_object(with_tolerations(attributes.obj))


def with_tolerations(pod: Pod) -> Pod:
    """300 s of not-ready and unreachable, unless the pod says something about them."""
    tolerations = pod.spec.tolerations
    added = []
    for key in (NOT_READY, UNREACHABLE):
        if not any(
            (t.key == key or not t.key) and (t.effect == "NoExecute" or not t.effect) for t in tolerations
        ):
            added.append(
                Toleration(
                    key=key,
                    operator="Exists",
                    effect="NoExecute",
                    toleration_seconds=TOLERATION_SECONDS,
                )
            )
    if not added:
        return pod
    return evolve(pod, spec=evolve(pod.spec, tolerations=(*tolerations, *added)))
