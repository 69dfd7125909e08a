"""The calm world and the real components' defaults, in numbers: one line each, with its source.

Links, disks and TCP know no orchestrator: theirs are in `chaoskube/sim/calm.py`. All times are virtual nanoseconds. `model` marks a choice of this simulation where no source rules.
Kubernetes paths are those of v1.36; `PC/` is `pkg/controller/`, `CG/` is `staging/src/k8s.io/client-go/`.
"""

from __future__ import annotations

from typing import Final

from chaoskube.sim import MILLISECOND, SECOND

# -- the components' own work
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

# -- etcd and its clients (`AS/` is staging/src/k8s.io/apiserver/pkg/)
ETCD_TICK: Final = (
    100 * MILLISECOND
)  # etcd server/embed/config.go: heartbeat interval; an election is ETCD_ELECTION_TICKS and jitter
ETCD_ELECTION_TICKS: Final = 10  # same: election time-out 1000 ms
ETCD_REQUEST_TIMEOUT: Final = (
    7 * SECOND
)  # etcd server/config/config.go ReqTimeout: 5 s + 2 election time-outs
ETCD_READ_RETRY: Final = 500 * MILLISECOND  # etcd server/etcdserver/v3_server.go readIndexRetryTime
ETCD_DIAL_TIMEOUT: Final = 20 * SECOND  # AS/storage/storagebackend/factory/etcd3.go dialTimeout
ETCD_KEEPALIVE_INTERVAL: Final = 30 * SECOND  # same, keepaliveTime
ETCD_KEEPALIVE_TIMEOUT: Final = 10 * SECOND  # same, keepaliveTimeout
ETCD_CALL_TIMEOUT: Final = 10 * SECOND  # model: longer than a member's own 7 s, so that its answer is heard

# -- API servers and their clients (`AM/` is staging/src/k8s.io/apimachinery/pkg/)
API_REQUEST_TIMEOUT: Final = 60 * SECOND  # AS/server/config.go RequestTimeout
COMPACTION_PERIOD: Final = 300 * SECOND  # AS/storage/storagebackend/config.go DefaultCompactInterval
WATCH_PROGRESS_PERIOD: Final = 100 * MILLISECOND  # AS/storage/cacher/progress/watch_progress.go
WATCH_CACHE_WAIT: Final = 3 * SECOND  # AS/storage/cacher/watch_cache.go blockTimeout
HTTP2_PING_INTERVAL: Final = 30 * SECOND  # AM/util/net/http.go ReadIdleTimeout
HTTP2_PING_TIMEOUT: Final = 15 * SECOND  # same, PingTimeout
REFLECTOR_BACKOFF_INITIAL: Final = 800 * MILLISECOND  # CG/tools/cache/reflector.go
REFLECTOR_BACKOFF_MAX: Final = 30 * SECOND  # same
REFLECTOR_BACKOFF_RESET: Final = 120 * SECOND  # same
LEASE_DURATION: Final = 15 * SECOND  # component-base/config/v1alpha1: leader election
RENEW_DEADLINE: Final = 10 * SECOND  # same
RETRY_PERIOD: Final = 2 * SECOND  # same

# -- controllers and scheduler
EXPECTATIONS_TIMEOUT: Final = 300 * SECOND  # PC/controller_utils.go ExpectationsTimeout
NODE_EVICTION_INTERVAL: Final = 10 * SECOND  # cmd/kube-controller-manager, --node-eviction-rate 0.1 a second
NODE_EVICTION_SECONDARY_INTERVAL: Final = 100 * SECOND  # same, --secondary-node-eviction-rate 0.01
POD_GC_PERIOD: Final = 20 * SECOND  # PC/podgc/gc_controller.go gcCheckPeriod
POD_GC_QUARANTINE: Final = 40 * SECOND  # same, quarantineTime
POD_BACKOFF_INITIAL: Final = 1 * SECOND  # pkg/scheduler/apis/config/v1/defaults.go podInitialBackoffSeconds
POD_BACKOFF_MAX: Final = 10 * SECOND  # same, podMaxBackoffSeconds
UNSCHEDULABLE_MAX: Final = (
    300 * SECOND
)  # pkg/scheduler/backend/queue DefaultPodMaxInUnschedulablePodsDuration
UNSCHEDULABLE_FLUSH_PERIOD: Final = 30 * SECOND  # same, flushUnschedulablePodsLeftover
