"""When an exited container is started again: the restart policy and CrashLoopBackOff.

A pure core. The first restart is immediate, the next ones wait 10 s, 20 s, ... 300 s, counted from the
moment the container finished; a container that ran for more than 10 minutes after the last back-off
starts over. The kubelet keeps this in memory, so a restarted kubelet has forgotten it.

Sources: `pkg/kubelet/kuberuntime/kuberuntime_manager.go` doBackOff, `pkg/kubelet/container/helpers.go`
ShouldContainerBeRestarted, `staging/src/k8s.io/client-go/util/flowcontrol/backoff.go`.
Called by `node/pod_worker.py`.

Not modelled: container-level restart policies and rules; the configurable maximum.
"""

from attrs import define, field, frozen

from chaoskube.models.constants import CRASH_LOOP_BACKOFF_INITIAL, CRASH_LOOP_BACKOFF_MAX


@frozen(kw_only=True)
class BackoffEntry:
    """The delay that the next restart must keep, and when that was decided."""

    delay_ns: int
    updated_ns: int


@define
class CrashLoopBackoff:
    """The kubelet's memory of who restarted how often (flowcontrol.Backoff)."""

    initial_ns: int = CRASH_LOOP_BACKOFF_INITIAL
    max_ns: int = CRASH_LOOP_BACKOFF_MAX
    entries: dict[str, BackoffEntry] = field(factory=dict)

    def wait_until(self, key: str, finished_ns: int) -> int:
        """The earliest time at which a container that finished then may start again."""
        entry = self.entries.get(key)
        if entry is None or self._has_expired(entry, finished_ns):
            return finished_ns
        return finished_ns + entry.delay_ns

    def note_restart(self, key: str, finished_ns: int, now_ns: int) -> int:
        """Note that the container is restarted now; answers the delay of the next time."""
        entry = self.entries.get(key)
        if entry is None or self._has_expired(entry, finished_ns):
            delay_ns = self.initial_ns
        else:
            delay_ns = min(entry.delay_ns * 2, self.max_ns)
        self.entries[key] = BackoffEntry(delay_ns=delay_ns, updated_ns=now_ns)
        return delay_ns

    def delay(self, key: str) -> int:
        """The delay in force for this key, as the waiting message prints it."""
        entry = self.entries.get(key)
        return entry.delay_ns if entry is not None else 0

    def forget(self, prefix: str) -> None:
        """Drop all entries whose key starts so: the pod is gone."""
        for key in [key for key in self.entries if key.startswith(prefix)]:
            del self.entries[key]

    def _has_expired(self, entry: BackoffEntry, event_ns: int) -> bool:
        return event_ns - entry.updated_ns > 2 * self.max_ns


def should_restart(policy: str | None, exit_code: int) -> bool:
    """Whether a pod with this restart policy starts a container again that exited so."""
    if policy == "Never":
        return False
    if policy == "OnFailure":
        return exit_code != 0
    return True
