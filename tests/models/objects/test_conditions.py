"""Conditions, readiness, hashes, times."""

from __future__ import annotations

from chaoskube.models.objects import (
    ObjectMeta,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
    PodTemplateSpec,
    evolve,
    fnv32a,
    get_condition,
    is_pod_active,
    is_pod_available,
    is_pod_ready,
    micro_time_text,
    parse_time,
    safe_encode,
    set_condition,
    template_hash,
    time_text,
)
from chaoskube.sim import SECOND

READY = PodCondition(type="Ready", status="True", last_transition_time=100 * SECOND)


def test_a_transition_time_changes_with_the_status_alone() -> None:
    """Else availability would begin anew at every status write."""
    later = PodCondition(type="Ready", status="True", last_transition_time=200 * SECOND, reason="x")
    down = PodCondition(type="Ready", status="False", last_transition_time=200 * SECOND)

    kept = get_condition(set_condition((READY,), later), "Ready")
    moved = get_condition(set_condition((READY,), down), "Ready")

    assert kept is not None and moved is not None
    assert (kept.last_transition_time, kept.reason) == (100 * SECOND, "x")
    assert moved.last_transition_time == 200 * SECOND
    assert [c.type for c in set_condition((READY,), PodCondition(type="New"))] == ["Ready", "New"]


def test_a_pod_is_available_once_it_was_ready_long_enough() -> None:
    """podutil.IsPodAvailable: the moment itself counts."""
    pod = Pod(status=PodStatus(phase="Running", conditions=(READY,)))

    assert is_pod_ready(pod)
    assert is_pod_available(pod, 0, 0)
    assert not is_pod_available(pod, 10, 109 * SECOND)
    assert is_pod_available(pod, 10, 110 * SECOND)
    assert not is_pod_available(Pod(), 0, 0)


def test_a_pod_is_active_until_it_ends_or_is_told_to_go() -> None:
    """controller.IsPodActive."""
    assert is_pod_active(Pod())
    assert not is_pod_active(Pod(status=PodStatus(phase="Failed")))
    assert not is_pod_active(Pod(metadata=ObjectMeta(deletion_timestamp=0)))


def test_equal_templates_have_equal_hashes() -> None:
    """And a collision gives another one."""
    template = PodTemplateSpec(spec=PodSpec(hostname="a"))

    assert template_hash(template) == template_hash(PodTemplateSpec(spec=PodSpec(hostname="a")))
    assert len({template_hash(template), template_hash(template, 1), template_hash(PodTemplateSpec())}) == 3
    assert template_hash(evolve(template, **{"spec.hostname": "b"})) != template_hash(template)
    assert fnv32a(b"foobar") == 0xBF9CF968  # the reference vector of FNV-1a
    assert set(safe_encode("0123456789")) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_times_are_cut_as_the_api_cuts_them() -> None:
    """Seconds for Time, microseconds for MicroTime; offsets are turned into UTC."""
    moment = parse_time("2026-11-21T12:00:01.123456789Z")

    assert time_text(moment) == "2026-11-21T12:00:01Z"
    assert micro_time_text(moment) == "2026-11-21T12:00:01.123456Z"
    assert parse_time("2026-11-21T14:00:01.5+02:00") == parse_time("2026-11-21T12:00:01.5Z")
    assert parse_time("1970-01-01T00:00:01Z") == SECOND
