"""Which pods a drain takes, leaves, or stumbles over. Pure.

In order: terminating for long already (left), a DaemonSet's (left with --ignore-daemonsets, else an error: it would
come back at once), mirror pods (left), with an emptyDir (taken with --delete-emptydir-data, else an error), without a
controller (taken with --force, else an error). What has finished is always taken. The first filter that doesn't let a
pod pass decides.

Source: staging/src/k8s.io/kubectl/pkg/drain/filters.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from chaoskube.models.objects import OwnerReference, Pod, encode
from chaoskube.sim import SECOND

MIRROR = "kubernetes.io/config.mirror"
DAEMON_SET = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
LOCAL_STORAGE = "Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED = "Pods that declare no controller (use --force to override)"


@frozen(kw_only=True)
class DrainOptions:
    """The flags of `kubectl drain`; a time-out of 0 is none."""

    ignore_daemonsets: bool = False
    delete_emptydir_data: bool = False
    force: bool = False
    disable_eviction: bool = False
    grace_period_seconds: int | None = None
    pod_selector: str = ""
    skip_wait_for_delete_timeout_ns: int = 0
    timeout_ns: int = 0


EVERYTHING = DrainOptions(ignore_daemonsets=True, delete_emptydir_data=True, force=True)
"""What people write who want the node empty: --ignore-daemonsets --delete-emptydir-data --force."""


@frozen(kw_only=True)
class Verdict:
    """One pod: whether it goes, and what stands in the way of the whole drain."""

    pod: Pod
    takes: bool
    error: str = ""


def daemon_set_of(pod: Pod) -> OwnerReference | None:
    """The DaemonSet that manages the pod."""
    owner = pod.metadata.controller
    if owner is not None and owner.kind == "DaemonSet" and owner.api_version == "apps/v1":
        return owner
    return None


def judge(pod: Pod, options: DrainOptions, *, wall_ns: int, daemon_set_is_there: bool = True) -> Verdict:
    """What a drain does with the pod."""
    finished = pod.status.phase in ("Succeeded", "Failed")
    if is_long_going(pod, options, wall_ns):
        return Verdict(pod=pod, takes=False)
    if daemon_set_of(pod) is not None and not finished:
        if not daemon_set_is_there:
            return _taken_if(options.force, pod, "its DaemonSet was not found")
        return Verdict(pod=pod, takes=False, error="" if options.ignore_daemonsets else DAEMON_SET)
    if MIRROR in pod.metadata.annotations:
        return Verdict(pod=pod, takes=False)
    if not finished and _has_local_storage(pod) and not options.delete_emptydir_data:
        return Verdict(pod=pod, takes=False, error=LOCAL_STORAGE)
    if not finished and pod.metadata.controller is None:
        return _taken_if(options.force, pod, UNMANAGED)
    return Verdict(pod=pod, takes=True)


def problems(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What stands in the way, each with the pods that it is about."""
    by_error: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.error:
            by_error.setdefault(verdict.error, []).append(verdict.pod.key)
    return tuple([f"cannot delete {error}: {', '.join(pods)}" for error, pods in by_error.items()])


def is_long_going(pod: Pod, options: DrainOptions, wall_ns: int) -> bool:
    """Whether it has been terminating for longer than a drain is told to wait for such pods."""
    limit = options.skip_wait_for_delete_timeout_ns
    deleted = pod.metadata.deletion_timestamp
    return limit > 0 and deleted is not None and (wall_ns - deleted) // SECOND > limit // SECOND


def _taken_if(is_forced: bool, pod: Pod, error: str) -> Verdict:
    return Verdict(pod=pod, takes=is_forced, error="" if is_forced else error)


def _has_local_storage(pod: Pod) -> bool:
    return any("emptyDir" in encode(volume) for volume in pod.spec.volumes)
