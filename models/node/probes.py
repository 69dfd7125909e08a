"""Probes: from single outcomes to results that flip only when a threshold is reached.

A pure core. A `ProbeState` belongs to one probe of one container *instance*; `observe` takes one outcome
and answers the next state. `is_due` says whether a tick probes at all. The shell (`node/prober.py`)
ticks, connects and reports.

Sources: `pkg/kubelet/prober/worker.go` doProbe, `pkg/kubelet/prober/prober_manager.go`, defaults from
`pkg/apis/core/v1/defaults.go` SetDefaults_Probe.

Not modelled: the probe's own terminationGracePeriodSeconds on startup probes is used, but not its
feature gates; HTTP headers, schemes and host overrides are ignored.
"""

from enum import Enum

from attrs import evolve, frozen

from chaoskube.sim import SECOND


class ProbeKind(Enum):
    """What a probe decides: traffic, a restart, or the start of the other two."""

    READINESS = "readiness"
    LIVENESS = "liveness"
    STARTUP = "startup"


class Outcome(Enum):
    """What one attempt found; an ERROR (the probe itself failed) counts for nothing."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


#: What holds before the first attempt (worker.go newWorker); None is "unknown".
INITIAL_RESULT: dict[ProbeKind, bool | None] = {
    ProbeKind.READINESS: False,
    ProbeKind.LIVENESS: True,
    ProbeKind.STARTUP: None,
}


@frozen(kw_only=True)
class ProbeTiming:
    """The numbers of a probe, with Kubernetes' defaults."""

    initial_delay_ns: int = 0
    period_ns: int = 10 * SECOND
    timeout_ns: int = 1 * SECOND
    success_threshold: int = 1
    failure_threshold: int = 3


@frozen(kw_only=True)
class ProbeState:
    """Where one probe of one container stands."""

    kind: ProbeKind
    timing: ProbeTiming
    result: bool | None
    last: bool | None = None
    run_length: int = 0
    on_hold: bool = False

    @classmethod
    def fresh(cls, kind: ProbeKind, timing: ProbeTiming) -> "ProbeState":
        """The state for a container that has just been created."""
        return cls(kind=kind, timing=timing, result=INITIAL_RESULT[kind])


def observe(state: ProbeState, outcome: Outcome) -> ProbeState:
    """One attempt's outcome. Liveness and startup go on hold once they fail: the container is to die."""
    if outcome is Outcome.ERROR or state.on_hold:
        return state
    success = outcome is Outcome.SUCCESS
    run_length = state.run_length + 1 if state.last is success else 1
    threshold = state.timing.success_threshold if success else state.timing.failure_threshold
    if run_length < threshold:
        return evolve(state, last=success, run_length=run_length)
    if not success and state.kind is not ProbeKind.READINESS:
        # The next container instance starts with a fresh state.
        return evolve(state, last=None, run_length=0, result=False, on_hold=True)
    return evolve(state, last=success, run_length=run_length, result=success)


def is_due(state: ProbeState, *, running_for_ns: int, started: bool, terminating: bool) -> bool:
    """Whether this tick makes an attempt (worker.go doProbe, the checks before the probe is run)."""
    if state.on_hold:
        return False
    if terminating and state.kind is not ProbeKind.READINESS:
        return False
    if running_for_ns < state.timing.initial_delay_ns:
        return False
    # Startup runs until it succeeded, the other two only from then on.
    return started != (state.kind is ProbeKind.STARTUP)
