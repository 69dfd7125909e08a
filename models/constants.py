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

# -- node: the kubelet (`KL/` is pkg/kubelet/)
NODE_LEASE_DURATION_SECONDS: Final = 40  # KL/apis/config/v1beta1/defaults.go NodeLeaseDurationSeconds
NODE_LEASE_RENEW_INTERVAL: Final = 10 * SECOND  # KL/kubelet.go nodeLeaseRenewIntervalFraction 0.25
NODE_LEASE_RETRIES: Final = 5  # staging/src/k8s.io/component-helpers/apimachinery/lease maxUpdateRetries
NODE_LEASE_BACKOFF_INITIAL: Final = 200 * MILLISECOND  # same, backoffEnsureLease
NODE_LEASE_BACKOFF_MAX: Final = 7 * SECOND  # same, maxBackoff
NODE_STATUS_UPDATE_FREQUENCY: Final = 10 * SECOND  # KL/apis/config/v1beta1/defaults.go
NODE_STATUS_REPORT_FREQUENCY: Final = 300 * SECOND  # same
NODE_STATUS_FAST_PERIOD: Final = 100 * MILLISECOND  # KL/kubelet.go fastStatusUpdateOnce
NODE_STATUS_RETRIES: Final = 5  # KL/kubelet.go nodeStatusUpdateRetry
NODE_REGISTER_BACKOFF_INITIAL: Final = 100 * MILLISECOND  # KL/kubelet_node_status.go registerWithAPIServer
NODE_REGISTER_BACKOFF_MAX: Final = 7 * SECOND  # same
PLEG_RELIST_PERIOD: Final = 1 * SECOND  # KL/kubelet.go genericPlegRelistPeriod
POD_STATUS_RECONCILE_PERIOD: Final = 10 * SECOND  # KL/status/status_manager.go syncPeriod
KILL_GRACE_MIN: Final = 2 * SECOND  # KL/kuberuntime/kuberuntime_container.go minimumGracePeriodInSeconds
ORPHAN_GRACE_SECONDS: Final = 1  # KL/pod_workers.go: a runtime pod without configuration
CRASH_LOOP_BACKOFF_INITIAL: Final = 10 * SECOND  # KL/kubelet.go initialContainerBackOff
CRASH_LOOP_BACKOFF_MAX: Final = 300 * SECOND  # KL/kubelet.go MaxContainerBackOff

# -- network and applications
PROXY_MIN_SYNC_PERIOD: Final = 1 * SECOND  # pkg/proxy/apis/config/v1alpha1/defaults.go MinSyncPeriod
REQUEST_TIMEOUT: Final = 5 * SECOND  # model: how long a client of an application waits
APP_WORK: Final = 5 * MILLISECOND  # model: the default application answers a request
