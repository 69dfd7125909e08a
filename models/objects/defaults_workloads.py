"""What the API server fills in of workloads, on plain JSON trees.

Sources: pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go, pkg/apis/autoscaling/v2/defaults.go,
pkg/apis/core/v1/defaults.go (ReplicationController). Called by `defaults.py`.
"""

from __future__ import annotations

from typing import Any, Final

from chaoskube.models.objects.defaults_pod import default_template, items_of
from chaoskube.models.objects.frozen import Tree

BACKOFF_LIMIT: Final = 6
MOST_INT32: Final = 2**31 - 1


def fill_deployment(tree: Tree) -> None:
    """A Deployment."""
    spec = _replicated(tree)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    tree.setdefault("status", {})


def fill_replica_set(tree: Tree) -> None:
    """A ReplicaSet."""
    _replicated(tree)
    tree.setdefault("status", {}).setdefault("replicas", 0)


def fill_replication_controller(tree: Tree) -> None:
    """A ReplicationController: selector and labels come from the template where they are missing."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    template = spec.get("template")
    if template is not None:
        default_template(template)
        labels = template.get("metadata", {}).get("labels")
        if labels:
            spec.setdefault("selector", dict(labels))
            tree.setdefault("metadata", {}).setdefault("labels", dict(labels))
    tree.setdefault("status", {}).setdefault("replicas", 0)


def fill_stateful_set(tree: Tree) -> None:
    """A StatefulSet, with the claims that its pods get."""
    spec = _replicated(tree)
    spec.setdefault("serviceName", "")
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    for claim in items_of(spec, "volumeClaimTemplates"):
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("metadata", {})
        wanted = claim.setdefault("spec", {})
        wanted.setdefault("resources", {})
        wanted.setdefault("volumeMode", "Filesystem")
        claim.setdefault("status", {}).setdefault("phase", "Pending")
    for name in ("replicas", "availableReplicas"):
        tree.setdefault("status", {}).setdefault(name, 0)


def fill_daemon_set(tree: Tree) -> None:
    """A DaemonSet."""
    spec = tree.setdefault("spec", {})
    default_template(spec.setdefault("template", {}))
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    for name in ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"):
        tree.setdefault("status", {}).setdefault(name, 0)


def fill_job(tree: Tree) -> None:
    """A Job: one pod that ends well, unless it says otherwise."""
    spec = tree.setdefault("spec", {})
    default_template(spec.setdefault("template", {}))
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", BACKOFF_LIMIT if "backoffLimitPerIndex" not in spec else MOST_INT32)
    labels = spec["template"]["metadata"].get("labels")
    if labels:
        tree.setdefault("metadata", {}).setdefault("labels", dict(labels))
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    policy = spec.get("podFailurePolicy")
    for rule in items_of(policy or {}, "rules"):
        for pattern in items_of(rule, "onPodConditions"):
            pattern.setdefault("status", "True")
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed" if policy is None else "Failed")
    tree.setdefault("status", {})


def fill_cron_job(tree: Tree) -> None:
    """A CronJob; the Job that it makes copies of is filled in when it is made."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    default_template(template.setdefault("spec", {}).setdefault("template", {}))
    tree.setdefault("status", {})


def fill_autoscaler(tree: Tree) -> None:
    """A HorizontalPodAutoscaler: 80 % of the CPU asked for, up fast and down at the controller's own pace."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        up = behavior.setdefault("scaleUp", {})
        up.setdefault("stabilizationWindowSeconds", 0)
        _fill_scaling(up, [("Pods", 4), ("Percent", 100)])
        _fill_scaling(behavior.setdefault("scaleDown", {}), [("Percent", 100)])
    tree.setdefault("status", {})


def _fill_scaling(rules: Tree, policies: list[tuple[str, int]]) -> None:
    rules.setdefault("selectPolicy", "Max")
    if not rules.get("policies"):
        rules["policies"] = [{"type": kind, "value": value, "periodSeconds": 15} for kind, value in policies]


def _replicated(tree: Tree) -> Any:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.setdefault("template", {}))
    return spec
