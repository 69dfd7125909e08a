"""The calm world and the real components' defaults, in numbers: one line each, with its source.

All times are virtual nanoseconds. `model` marks a choice of this simulation where no source rules.
Kubernetes paths are those of v1.36; `PC/` is `pkg/controller/`, `CG/` is `staging/src/k8s.io/client-go/`.
"""

from __future__ import annotations

from typing import Final

from chaoskube.sim import MICROSECOND, MILLISECOND, SECOND

# -- the calm machine room (model)
LINK_SAME_HOST: Final = 100 * MICROSECOND  # model
LINK_BETWEEN_HOSTS: Final = 500 * MICROSECOND  # model
DISK_WRITE: Final = 100 * MICROSECOND  # model
DISK_SYNC: Final = 2 * MILLISECOND  # model: a solid-state disk's fsync
REQUEST_HANDLING: Final = 1 * MILLISECOND  # model: an API server's own work on a request
RECONCILE_WORK: Final = 1 * MILLISECOND  # model: a controller's or kubelet's own work on a key
CONTAINER_START: Final = 1 * SECOND  # model: image present, container created and started
APP_LISTENS_AFTER: Final = 2 * SECOND  # model: the default application opens its ports
SUPERVISOR_RESTART: Final = 1 * SECOND  # model: a static pod's container is restarted at once

# -- node lifecycle
NODE_MONITOR_PERIOD: Final = 5 * SECOND  # cmd/kube-controller-manager, --node-monitor-period
NODE_MONITOR_GRACE_PERIOD: Final = 50 * SECOND  # PC/nodelifecycle/config/v1alpha1
NODE_STARTUP_GRACE_PERIOD: Final = 60 * SECOND  # same
