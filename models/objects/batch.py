"""Jobs and CronJobs.

Source: staging/src/k8s.io/api/batch/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector, ObjectMeta
from chaoskube.models.objects.pod import PodTemplateSpec
from chaoskube.models.objects.service import ObjectReference


@frozen(kw_only=True)
class JobCondition:
    """One condition of a Job (Complete, Failed, Suspended, ...)."""

    type: str = ""
    status: str = ""
    last_probe_time: Time | None = field(default=None, metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodFailurePolicyOnExitCodesRequirement:
    """Exit codes of a container that are, or are not, in a list."""

    container_name: str | None = field(default=None, metadata=POINTER)
    operator: str = field(default="", metadata=WRITTEN)
    values: tuple[int, ...] = field(default=(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodFailurePolicyOnPodConditionsPattern:
    """A condition of the failed pod."""

    type: str = field(default="", metadata=WRITTEN)
    status: str = ""
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodFailurePolicyRule:
    """What follows from a failure: FailJob, FailIndex, Ignore or Count."""

    action: str = field(default="", metadata=WRITTEN)
    on_exit_codes: PodFailurePolicyOnExitCodesRequirement | None = None
    on_pod_conditions: tuple[PodFailurePolicyOnPodConditionsPattern, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodFailurePolicy:
    """Rules for failed pods; the first that matches rules."""

    rules: tuple[PodFailurePolicyRule, ...] = field(default=(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class SuccessPolicyRule:
    """Which indexes must have succeeded, and how many."""

    succeeded_indexes: str | None = field(default=None, metadata=POINTER)
    succeeded_count: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class SuccessPolicy:
    """When a Job is done before all of its indexes are."""

    rules: tuple[SuccessPolicyRule, ...] = field(default=(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class JobSpec:
    """How many pods must end well, and what to do when they don't."""

    parallelism: int | None = None
    completions: int | None = None
    active_deadline_seconds: int | None = None
    pod_failure_policy: PodFailurePolicy | None = None
    success_policy: SuccessPolicy | None = None
    backoff_limit: int | None = None
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    selector: LabelSelector | None = None
    manual_selector: bool | None = None
    template: PodTemplateSpec = field(default=PodTemplateSpec())
    ttl_seconds_after_finished: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    pod_replacement_policy: str | None = None
    managed_by: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class UncountedTerminatedPods:
    """Pods that have ended and are not yet counted."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class JobStatus:
    """How many pods run, ended well and failed."""

    conditions: tuple[JobCondition, ...] = ()
    start_time: Time | None = None
    completion_time: Time | None = None
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    terminating: int | None = None
    completed_indexes: str | None = None
    failed_indexes: str | None = field(default=None, metadata=POINTER)
    uncounted_terminated_pods: UncountedTerminatedPods | None = None
    ready: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Job(KubeObject):
    """Pods that run to an end."""

    api_version: str = "batch/v1"
    kind: str = "Job"
    spec: JobSpec = field(default=JobSpec())
    status: JobStatus = field(default=JobStatus())


@frozen(kw_only=True)
class JobTemplateSpec:
    """The Job that a CronJob makes copies of."""

    metadata: ObjectMeta = field(default=ObjectMeta())
    spec: JobSpec = field(default=JobSpec())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CronJobSpec:
    """When to make a Job, and what to keep of the old ones."""

    schedule: str = field(default="", metadata=WRITTEN)
    time_zone: str | None = field(default=None, metadata=POINTER)
    starting_deadline_seconds: int | None = None
    concurrency_policy: str | None = None
    suspend: bool | None = None
    job_template: JobTemplateSpec = field(default=JobTemplateSpec())
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CronJobStatus:
    """Which Jobs run, and when the last one was made."""

    active: tuple[ObjectReference, ...] = ()
    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CronJob(KubeObject):
    """Makes Jobs by a schedule."""

    api_version: str = "batch/v1"
    kind: str = "CronJob"
    spec: CronJobSpec = field(default=CronJobSpec())
    status: CronJobStatus = field(default=CronJobStatus())
