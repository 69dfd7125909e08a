"""How fast a component may ask: client-go's own limiter, before anything leaves the process.

A token bucket for each client: `qps` tokens a second, `burst` saved at most; requests wait for theirs in order,
watches don't. A large scale-up is throttled here first. None (the default of our clients) is no limit.

Sources: staging/src/k8s.io/client-go/rest/config.go (5/10), cmd/kube-controller-manager (20/30, a client for
each controller), pkg/scheduler/apis/config/v1/defaults.go and pkg/kubelet/apis/config/v1beta1/defaults.go (50/100).
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.client.backoff import TokenBucket
from chaoskube.sim import SECOND


@frozen(kw_only=True)
class ClientLimits:
    """Requests a second, and how many at once after a pause."""

    qps: int
    burst: int

    def bucket(self) -> TokenBucket:
        """A full bucket."""
        return TokenBucket(interval_ns=SECOND // self.qps, burst=self.burst)


DEFAULT = ClientLimits(qps=5, burst=10)
CONTROLLER_MANAGER = ClientLimits(qps=20, burst=30)
CHATTY = {
    "namespace-controller": ClientLimits(qps=20 * 20, burst=30 * 100),
    "generic-garbage-collector": ClientLimits(qps=20 * 2, burst=30),
}
"""Controllers that get more, by service account (cmd/kube-controller-manager/app/core.go)."""
SCHEDULER = ClientLimits(qps=50, burst=100)
KUBELET = ClientLimits(qps=50, burst=100)
