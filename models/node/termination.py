"""How long a container may take to stop: the arithmetic of grace periods, pure.

The preStop hook spends the grace; what it took is counted in whole seconds; at least 2 s are left for SIGTERM
in any case. A pod's grace may only shrink while it terminates, and never below 1 s.

Sources: `pkg/kubelet/kuberuntime/kuberuntime_container.go` killContainer and executePreStopHook,
`pkg/kubelet/pod_workers.go` calculateEffectiveGracePeriod. Called by `node/pod_killer.py`.
"""

from chaoskube.models.constants import KILL_GRACE_MIN
from chaoskube.models.objects import Pod
from chaoskube.sim import SECOND

DEFAULT_GRACE_SECONDS = 30


def effective_grace(pod: Pod, *, current: int | None, override: int | None) -> int:
    """The pod's grace in seconds: the shortest of what was said so far, at least 1.

    `current` is what holds already (None: not terminating yet), `override` what the kubelet itself wants.
    """
    wished = pod.metadata.deletion_grace_period_seconds
    if wished is None or pod.metadata.deletion_timestamp is None:
        wished = pod.spec.termination_grace_period_seconds
    if wished is None:
        wished = DEFAULT_GRACE_SECONDS
    if override is not None:
        wished = min(wished, override)
    if current is not None:
        wished = min(wished, current)
    return max(wished, 1)


def left_after_hook(grace_ns: int, hook_took_ns: int) -> int:
    """How long SIGTERM may take before SIGKILL, after a preStop hook that took so long."""
    whole_seconds = hook_took_ns - hook_took_ns % SECOND
    return max(grace_ns - whole_seconds, KILL_GRACE_MIN)
