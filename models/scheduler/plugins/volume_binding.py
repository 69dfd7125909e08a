"""VolumeBinding: a pod whose claims aren't bound yet runs nowhere. (plugins/volumebinding/volume_binding.go)

It answers for all nodes at once; a claim of the pod that appears or changes is worth another try.
"""

from __future__ import annotations

from chaoskube.models.scheduler.claims import claims_of
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, NodeCheck, Plugin, Rejection, plugin
from chaoskube.models.scheduler.nodes import PodInfo, View


@plugin
class VolumeBinding(Plugin):
    """Keeps pods waiting for their volumes."""

    name = "VolumeBinding"
    order = 75

    def check(self, pod: PodInfo, view: View) -> NodeCheck | Rejection | None:
        """No to all nodes while a claim isn't bound. (PreFilter)"""
        if not pod.pod.spec.volumes:
            return None
        reason = view.claims.missing_for(pod.pod)
        return Rejection(plugin=self.name, reasons=(reason,), is_resolvable=False) if reason else None

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A claim that the pod names. (isSchedulableAfterPersistentVolumeClaimChange)"""
        if event.what is not Happening.CLAIM_CHANGED or event.claim is None:
            return False
        namespace, name = event.claim
        return namespace == pod.pod.namespace and name in claims_of(pod.pod)
