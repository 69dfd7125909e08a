"""The probes' state machine: `models/node/probes.py`."""

from chaoskube.models.node.probes import Outcome, ProbeKind, ProbeState, ProbeTiming, is_due, observe
from chaoskube.sim import SECOND

OK, BAD, ERROR = Outcome.SUCCESS, Outcome.FAILURE, Outcome.ERROR


def results(kind: ProbeKind, *outcomes: Outcome, timing: ProbeTiming | None = None) -> list[bool | None]:
    state = ProbeState.fresh(kind, timing or ProbeTiming())
    found = []
    for outcome in outcomes:
        state = observe(state, outcome)
        found.append(state.result)
    return found


def test_initial_results_differ_by_kind() -> None:
    """kubelet.md 4: readiness Failure, liveness Success, startup unknown."""
    assert [ProbeState.fresh(kind, ProbeTiming()).result for kind in ProbeKind] == [False, True, None]


def test_readiness_flips_after_three_failures_in_a_row() -> None:
    """failureThreshold 3; a success in between starts the count anew."""
    assert results(ProbeKind.READINESS, OK, BAD, BAD, OK, BAD, BAD, BAD) == [
        True, True, True, True, True, True, False,
    ]  # fmt: skip


def test_a_success_threshold_is_counted_too() -> None:
    """Readiness may ask for several successes."""
    timing = ProbeTiming(success_threshold=2)

    assert results(ProbeKind.READINESS, OK, OK, timing=timing) == [False, True]


def test_an_error_of_the_probe_itself_counts_for_nothing() -> None:
    """worker.go: "Prober error, throw away the result"."""
    assert results(ProbeKind.LIVENESS, BAD, BAD, ERROR, BAD) == [True, True, True, False]


def test_a_failed_liveness_probe_stays_failed_until_the_next_container() -> None:
    """worker.go: on hold."""
    assert results(ProbeKind.LIVENESS, BAD, BAD, BAD, OK) == [True, True, False, False]


def test_only_startup_probes_run_before_the_container_has_started() -> None:
    """kubelet.md 4: until startup succeeds, readiness and liveness do not run."""
    startup = ProbeState.fresh(ProbeKind.STARTUP, ProbeTiming())
    readiness = ProbeState.fresh(ProbeKind.READINESS, ProbeTiming(initial_delay_ns=5 * SECOND))

    assert is_due(startup, running_for_ns=0, started=False, terminating=False)
    assert not is_due(startup, running_for_ns=0, started=True, terminating=False)
    assert not is_due(readiness, running_for_ns=9 * SECOND, started=False, terminating=False)
    assert not is_due(readiness, running_for_ns=4 * SECOND, started=True, terminating=False)
    assert is_due(readiness, running_for_ns=5 * SECOND, started=True, terminating=True)
