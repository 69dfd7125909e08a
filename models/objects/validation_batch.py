"""What must hold of Jobs and CronJobs.

Source: pkg/apis/batch/validation/validation.go, and github.com/robfig/cron/v3/parser.go for a schedule. Called by
validation.py.

Not modelled: the table of time zones (a name must only look like one); what a status may say of a finished Job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import evolve

from chaoskube.models.objects.batch import (
    CronJob,
    Job,
    JobSpec,
    PodFailurePolicy,
    PodFailurePolicyRule,
    SuccessPolicyRule,
)
from chaoskube.models.objects.causes import (
    Cause,
    duplicate,
    invalid,
    invalid_without_value,
    not_negative,
    required,
    too_many,
    unsupported,
)
from chaoskube.models.objects.conditions import is_true
from chaoskube.models.objects.inside import inside
from chaoskube.models.objects.names import dns_label, qualified_name
from chaoskube.models.objects.placement import Affinity
from chaoskube.models.objects.pod import PodTemplateSpec
from chaoskube.models.objects.schedule import schedule_error
from chaoskube.models.objects.selectors import matches
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_pod import check_template
from chaoskube.models.objects.validation_values import one_of, unchanged

_PARALLELISM_MAX: Final = 100_000
_RULES_MAX: Final = 20
_CODES_MAX: Final = 255
_LABELS: Final = (
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
)
_ZONE: Final = re.compile(r"[A-Za-z._0-9+-]{1,14}")


def check_job(obj: Job) -> Iterator[Cause]:
    """A new Job, whose selector is generated already."""
    yield from _generated(obj)
    yield from check_job_spec(obj)
    if obj.spec.completion_mode == "Indexed" and (obj.spec.completions or 0) > 0:
        last = f"{obj.name}-{(obj.spec.completions or 0) - 1}"
        if dns_label(last):
            text = f"will not able to create pod with invalid DNS label: {last}"
            yield invalid("metadata.name", obj.name, text)


def check_job_spec(obj: Job) -> Iterator[Cause]:
    """Any Job."""
    yield from _job_spec(obj.spec, "spec")
    yield from _selected(obj)


def _generated(obj: Job) -> Iterator[Cause]:
    """validateGeneratedSelector: the selector is the server's own, unless its owner takes care of it."""
    if obj.spec.manual_selector or obj.spec.selector is None:
        return
    labels = obj.spec.template.metadata.labels
    expected = {name: obj.uid if name.endswith("uid") else obj.name for name in _LABELS}
    for name, value in expected.items():
        if name not in labels:
            yield required(f"spec.template.metadata.labels[{name}]", f"must be '{value}'")
        elif labels[name] != value:
            yield invalid(f"spec.template.metadata.labels[{name}]", labels, f"must be '{value}'")
    is_selector = not any(check_selector(obj.spec.selector, "spec.selector"))
    if is_selector and not matches(obj.spec.selector, expected):
        yield invalid("spec.selector", obj.spec.selector, "`selector` not auto-generated")


def _selected(obj: Job) -> Iterator[Cause]:
    selector = obj.spec.selector
    if selector is None:
        yield required("spec.selector")
        return
    wrong = list(check_selector(selector, "spec.selector"))
    yield from wrong
    labels = obj.spec.template.metadata.labels
    if not wrong and not matches(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _job_spec(spec: JobSpec, path: str) -> Iterator[Cause]:
    for field, count in (
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ):
        yield from not_negative(f"{path}.{field}", count)
    if spec.max_failed_indexes is not None and spec.backoff_limit_per_index is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    yield from _completion(spec, path)
    if spec.pod_failure_policy is not None:
        yield from _failure_policy(spec, spec.pod_failure_policy, f"{path}.podFailurePolicy.rules")
    if spec.success_policy is not None:
        yield from _success_policy(spec, f"{path}.successPolicy")
    replacement = spec.pod_replacement_policy
    allowed = ("Failed",) if spec.pod_failure_policy is not None else ("Failed", "TerminatingOrFailed")
    if replacement is not None and replacement not in allowed:
        yield unsupported(f"{path}.podReplacementPolicy", replacement, allowed)
    yield from check_template(spec.template, f"{path}.template")
    yield from _restart_policy(spec, f"{path}.template.spec.restartPolicy")


def _completion(spec: JobSpec, path: str) -> Iterator[Cause]:
    mode = spec.completion_mode
    if mode not in (None, "NonIndexed", "Indexed"):
        yield unsupported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        if spec.completions is None:
            yield required(f"{path}.completions", "when completion mode is Indexed")
        if (spec.parallelism or 0) > _PARALLELISM_MAX:
            text = f"must be less than or equal to {_PARALLELISM_MAX} when completion mode is Indexed"
            yield invalid(f"{path}.parallelism", spec.parallelism, text)
        most = spec.max_failed_indexes
        if most is not None and spec.completions is not None and most > spec.completions:
            yield invalid(f"{path}.maxFailedIndexes", most, "must be less than or equal to completions")
    elif mode in (None, "NonIndexed"):
        if spec.backoff_limit_per_index is not None:
            text = "requires indexed completion mode"
            yield invalid(f"{path}.backoffLimitPerIndex", spec.backoff_limit_per_index, text)
        if spec.max_failed_indexes is not None:
            text = "requires indexed completion mode"
            yield invalid(f"{path}.maxFailedIndexes", spec.max_failed_indexes, text)


def _restart_policy(spec: JobSpec, path: str) -> Iterator[Cause]:
    policy = spec.template.spec.restart_policy
    if policy in (None, "", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield unsupported(path, policy, ("OnFailure", "Never"))
    elif spec.pod_failure_policy is not None and policy != "Never":
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _failure_policy(spec: JobSpec, policy: PodFailurePolicy, path: str) -> Iterator[Cause]:
    if len(policy.rules) > _RULES_MAX:
        yield too_many(path, len(policy.rules), _RULES_MAX)
    for position, rule in enumerate(policy.rules):
        yield from _failure_rule(spec, rule, f"{path}[{position}]")


def _failure_rule(spec: JobSpec, rule: PodFailurePolicyRule, path: str) -> Iterator[Cause]:
    actions = ("Count", "FailIndex", "FailJob", "Ignore")
    if not rule.action:
        yield required(f"{path}.action", f"valid values: {_quoted(actions)}")
    elif rule.action == "FailIndex" and spec.backoff_limit_per_index is None:
        yield invalid(f"{path}.action", rule.action, "requires the backoffLimitPerIndex to be set")
    elif rule.action not in actions:
        yield unsupported(f"{path}.action", rule.action, actions)
    if rule.on_exit_codes is not None:
        yield from _exit_codes(spec, rule, f"{path}.onExitCodes")
    if len(rule.on_pod_conditions) > _RULES_MAX:
        yield too_many(f"{path}.onPodConditions", len(rule.on_pod_conditions), _RULES_MAX)
    for position, pattern in enumerate(rule.on_pod_conditions):
        where = f"{path}.onPodConditions[{position}]"
        for message in qualified_name(pattern.type):
            yield invalid(f"{where}.type", pattern.type, message)
        states = ("False", "True", "Unknown")
        yield from one_of(
            f"{where}.status", pattern.status, states, detail=f"valid values: {_quoted(states)}"
        )
    if rule.on_exit_codes is not None and rule.on_pod_conditions:
        yield invalid_without_value(path, "specifying both OnExitCodes and OnPodConditions is not supported")
    if rule.on_exit_codes is None and not rule.on_pod_conditions:
        yield invalid_without_value(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_codes(spec: JobSpec, rule: PodFailurePolicyRule, path: str) -> Iterator[Cause]:
    codes = rule.on_exit_codes
    assert codes is not None
    allowed = ("In", "NotIn")
    yield from one_of(f"{path}.operator", codes.operator, allowed, detail=f"valid values: {_quoted(allowed)}")
    pod = spec.template.spec
    names = [container.name for container in (*pod.containers, *pod.init_containers)]
    if codes.container_name is not None and codes.container_name not in names:
        text = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", codes.container_name, text)
    values = codes.values
    if not values:
        yield invalid(f"{path}.values", None, "at least one value is required")
    elif len(values) > _CODES_MAX:
        yield too_many(f"{path}.values", len(values), _CODES_MAX)
    for position, value in enumerate(values):
        if codes.operator == "In" and value == 0:
            yield invalid(f"{path}.values[{position}]", value, "must not be 0 for the In operator")
        if value in values[:position]:
            yield duplicate(f"{path}.values[{position}]", value)
    if list(values) != sorted(values):
        yield invalid(f"{path}.values", values, "must be ordered")


def _success_policy(spec: JobSpec, path: str) -> Iterator[Cause]:
    policy = spec.success_policy
    assert policy is not None
    if spec.completion_mode != "Indexed":
        yield invalid(path, inside(policy), "requires indexed completion mode")
        return
    if not policy.rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield required(f"{path}.rules", text)
    if len(policy.rules) > _RULES_MAX:
        yield too_many(f"{path}.rules", len(policy.rules), _RULES_MAX)
    for position, rule in enumerate(policy.rules):
        yield from _success_rule(spec, rule, f"{path}.rules[{position}]")


def _success_rule(spec: JobSpec, rule: SuccessPolicyRule, path: str) -> Iterator[Cause]:
    if rule.succeeded_count is None and rule.succeeded_indexes is None:
        yield required(path, "at least one of succeededCount or succeededIndexes must be specified")
    count = rule.succeeded_count
    if count is not None:
        yield from not_negative(f"{path}.succeededCount", count)
        if spec.completions is not None and count > spec.completions:
            text = f"must be less than or equal to {spec.completions} (the number of specified completions)"
            yield invalid(f"{path}.succeededCount", count, text)


def _quoted(values: tuple[str, ...]) -> str:
    return "[" + " ".join(f'"{value}"' for value in values) + "]"


def check_job_update(old: Job, new: Job) -> Iterator[Cause]:
    """What of a Job may change: parallelism, limits, suspension, and while suspended where its pods run."""
    before, after = old.spec, new.spec
    if after.completion_mode != "Indexed":
        yield from unchanged("spec.completions", before.completions, after.completions)
    elif before.completions != after.completions and after.completions not in (None, after.parallelism):
        text = "can only be modified in tandem with spec.parallelism"
        yield invalid("spec.completions", after.completions, text)
    yield from unchanged("spec.selector", before.selector, after.selector)
    yield from _template_update(old, new)
    for field, was, now in (
        ("completionMode", before.completion_mode, after.completion_mode),
        ("podFailurePolicy", before.pod_failure_policy, after.pod_failure_policy),
        ("backoffLimitPerIndex", before.backoff_limit_per_index, after.backoff_limit_per_index),
        ("managedBy", before.managed_by, after.managed_by),
        ("successPolicy", before.success_policy, after.success_policy),
    ):
        if was != now:
            yield invalid(f"spec.{field}", inside(now), "field is immutable")


def _template_update(old: Job, new: Job) -> Iterator[Cause]:
    """The template stays; while a Job is suspended and has not begun, its scheduling and resources may change."""
    before, after = old.spec.template, new.spec.template
    if before == after:
        return
    if not _may_change_template(old):
        yield invalid("spec.template", inside(after), "field is immutable")
        return
    allowed = _with_scheduling_of(before, after)
    if allowed.spec != after.spec:
        yield invalid("spec.template.spec", inside(after.spec), "field is immutable")


def _may_change_template(old: Job) -> bool:
    """shouldAllowMutablePodTemplate: suspended, with no pods that run."""
    idle = old.status.start_time is None or is_true(old.status.conditions, "Suspended")
    return bool(old.spec.suspend) and idle and old.status.active == 0


def _with_scheduling_of(before: PodTemplateSpec, after: PodTemplateSpec) -> PodTemplateSpec:
    """The old template with what a suspended Job may change taken from the new one."""
    spec = after.spec
    node_affinity = None if spec.affinity is None else spec.affinity.node_affinity
    affinity = evolve(before.spec.affinity or Affinity(), node_affinity=node_affinity)
    containers = before.spec.containers
    if [one.name for one in containers] == [one.name for one in spec.containers]:
        pairs = zip(containers, spec.containers, strict=True)
        containers = tuple([evolve(one, resources=other.resources) for one, other in pairs])
    pod = evolve(
        before.spec,
        affinity=spec.affinity if affinity == (spec.affinity or Affinity()) else affinity,
        node_selector=spec.node_selector,
        tolerations=spec.tolerations,
        scheduling_gates=spec.scheduling_gates,
        containers=containers,
    )
    return evolve(before, spec=pod)


def check_job_status(old: Job, new: Job) -> Iterator[Cause]:
    """Counts only grow, an end stays an end."""
    status = new.status
    for field, count in (
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    ):
        yield from not_negative(f"status.{field}", count)
    is_complete, is_failed = is_true(status.conditions, "Complete"), is_true(status.conditions, "Failed")
    if is_complete and is_failed:
        yield invalid_without_value(
            "status.conditions", "cannot set Complete=True and Failed=true conditions"
        )
    if status.completion_time is not None and not is_complete:
        text = "cannot set completionTime when there is no Complete=True condition"
        yield invalid("status.completionTime", inside(status.completion_time), text)
    if is_complete and status.completion_time is None:
        yield required("status.completionTime", "completionTime is required for Complete jobs")
    if (is_complete or is_failed) and status.active > 0:
        yield invalid("status.active", status.active, "active>0 is invalid for finished job")
    for kind in ("Failed", "Complete", "FailureTarget"):
        if is_true(old.status.conditions, kind) and not is_true(status.conditions, kind):
            text = f"cannot disable the terminal {kind}=True condition"
            yield invalid_without_value("status.conditions", text)
    if status.failed < old.status.failed:
        yield invalid("status.failed", status.failed, "cannot decrease the failed counter")
    if status.succeeded < old.status.succeeded:
        yield invalid("status.succeeded", status.succeeded, "cannot decrease the succeeded counter")


def check_cron_job(obj: CronJob) -> Iterator[Cause]:
    """A new CronJob: its name leaves room for the Job's."""
    yield from check_cron_spec(obj)
    if len(obj.name) > 52:
        yield invalid("metadata.name", obj.name, "must be no more than 52 characters")


def check_cron_spec(obj: CronJob) -> Iterator[Cause]:
    """Any CronJob."""
    spec = obj.spec
    if not spec.schedule:
        yield required("spec.schedule")
    else:
        wrong = schedule_error(spec.schedule)
        if wrong is not None:
            yield invalid("spec.schedule", spec.schedule, wrong)
        if "TZ" in spec.schedule:
            text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            yield invalid("spec.schedule", spec.schedule, text)
    yield from not_negative("spec.startingDeadlineSeconds", spec.starting_deadline_seconds)
    yield from _time_zone(spec.time_zone)
    yield from one_of("spec.concurrencyPolicy", spec.concurrency_policy, ("Allow", "Forbid", "Replace"))
    job = spec.job_template.spec
    yield from _job_spec(job, "spec.jobTemplate.spec")
    if job.selector is not None:
        yield invalid("spec.jobTemplate.spec.selector", job.selector, "`selector` will be auto-generated")
    if job.manual_selector:
        yield unsupported("spec.jobTemplate.spec.manualSelector", job.manual_selector, ("nil", "false"))
    yield from not_negative("spec.successfulJobsHistoryLimit", spec.successful_jobs_history_limit)
    yield from not_negative("spec.failedJobsHistoryLimit", spec.failed_jobs_history_limit)


def _time_zone(zone: str | None) -> Iterator[Cause]:
    path = "spec.timeZone"
    if zone is None:
        return
    if not zone:
        yield invalid(path, zone, "timeZone must be nil or non-empty string")
    elif any(part in (".", "..") or part[:1] == "-" or not _ZONE.fullmatch(part) for part in zone.split("/")):
        yield invalid(path, zone, f"unknown time zone {zone}")
    elif zone.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid(path, zone, text)
