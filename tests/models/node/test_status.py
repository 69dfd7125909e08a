"""What the status manager writes: the pure half of `models/node/status.py`."""

from chaoskube.models.node.status import differ, merge, status_patch
from chaoskube.models.objects import (
    Container,
    ContainerStatus,
    IPAddress,
    ObjectMeta,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
)

READY = PodCondition(type="Ready", status="True")
FOREIGN = PodCondition(type="DisruptionTarget", status="True")


def live(**status: object) -> Pod:
    return Pod(
        metadata=ObjectMeta(name="web"),
        spec=PodSpec(containers=(Container(name="app"),)),
        status=PodStatus(**status),  # type: ignore[arg-type]  # any field of a status
    )


def test_a_terminal_phase_waits_until_nothing_can_run() -> None:
    """mergePodStatus: else a controller would replace a pod that still runs."""
    wanted = PodStatus(phase="Succeeded", container_statuses=(ContainerStatus(name="app"),))

    assert merge(live(phase="Running"), wanted, could_run=True).phase == "Running"
    assert merge(live(phase="Running"), wanted, could_run=False).phase == "Succeeded"


def test_a_terminal_status_is_not_ready_whatever_was_decided_before() -> None:
    """A pod that is over takes no traffic."""
    wanted = PodStatus(
        phase="Failed", conditions=(READY,), container_statuses=(ContainerStatus(name="app", ready=True),)
    )
    (ready,) = merge(live(phase="Running"), wanted, could_run=False).conditions

    assert (ready.status, ready.reason) == ("False", "PodFailed")


def test_conditions_of_others_survive_a_write_and_their_order_is_no_difference() -> None:
    """The scheduler and evictors write conditions too."""
    pod = live(phase="Running", conditions=(FOREIGN, READY))
    merged = merge(pod, PodStatus(phase="Running", conditions=(READY,)), could_run=True)

    assert merged.conditions == (READY, FOREIGN)
    assert not differ(pod.status, merged)


def test_the_patch_says_null_for_what_is_gone() -> None:
    """Lists with a merge key are merged by item: silence would keep the old reason."""
    unready = PodCondition(type="Ready", status="False", reason="ContainersNotReady")
    patch = status_patch(
        PodStatus(phase="Pending", reason="x", conditions=(unready,), pod_ips=(IPAddress(ip="10.0.0.1"),)),
        PodStatus(phase="Running", conditions=(READY,), pod_ips=(IPAddress(ip="10.0.0.2"),)),
    )

    assert patch["phase"] == "Running" and patch["reason"] is None
    conditions = patch["conditions"]
    assert isinstance(conditions, list)
    assert (conditions[0]["reason"], conditions[0]["status"]) == (None, "True")
    assert patch["podIPs"] == [{"ip": "10.0.0.2"}, {"$patch": "delete", "ip": "10.0.0.1"}]
