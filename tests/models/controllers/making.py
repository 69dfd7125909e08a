"""Small objects for the controllers' tests."""

from __future__ import annotations

from chaoskube.models.objects import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DeploymentStrategy,
    FrozenDict,
    LabelSelector,
    Node,
    NodeCondition,
    NodeSpec,
    NodeStatus,
    ObjectMeta,
    OwnerReference,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
    PodTemplateSpec,
    ReplicaSet,
    ReplicaSetSpec,
    ReplicaSetStatus,
    RollingUpdateDeployment,
    Taint,
    Toleration,
)
from chaoskube.models.objects.pod import Container
from chaoskube.sim import SECOND

APP = FrozenDict({"app": "web"})


def pod(
    name: str = "a",
    *,
    phase: str = "Running",
    node: str = "node-1",
    ready: bool = False,
    ready_at: int = 0,
    created: int = 1,
    deleting: bool = False,
    owner: str = "",
    annotations: dict[str, str] | None = None,
    tolerations: tuple[Toleration, ...] = (),
    ip: str = "10.244.0.1",
) -> Pod:
    """A pod; times are in seconds."""
    owners = (OwnerReference(kind="ReplicaSet", name="rs", uid=owner, controller=True),) if owner else ()
    return Pod(
        metadata=ObjectMeta(
            name=name,
            namespace="ns",
            uid=f"uid-{name}",
            labels=APP,
            annotations=FrozenDict(annotations or {}),
            creation_timestamp=created * SECOND,
            deletion_timestamp=SECOND if deleting else None,
            owner_references=owners,
        ),
        spec=PodSpec(node_name=node or None, tolerations=tolerations),
        status=PodStatus(
            phase=phase,
            pod_ip=ip or None,
            conditions=(
                PodCondition(
                    type="Ready",
                    status="True" if ready else "False",
                    last_transition_time=ready_at * SECOND,
                ),
            ),
        ),
    )


def template(image: str = "v1") -> PodTemplateSpec:
    """A pod template that differs by its image."""
    return PodTemplateSpec(
        metadata=ObjectMeta(labels=APP), spec=PodSpec(containers=(Container(name="app", image=image),))
    )


def deployment(
    replicas: int = 3,
    surge: int | str = "25%",
    unavailable: int | str = "25%",
    *,
    image: str = "v1",
    status: DeploymentStatus | None = None,
    generation: int = 1,
    strategy: str = "RollingUpdate",
    deadline: int | None = 600,
    paused: bool = False,
) -> Deployment:
    """A Deployment with the defaults of a rolling update."""
    rolling = RollingUpdateDeployment(max_surge=surge, max_unavailable=unavailable)
    return Deployment(
        metadata=ObjectMeta(name="web", namespace="ns", uid="d", generation=generation),
        spec=DeploymentSpec(
            replicas=replicas,
            selector=LabelSelector(match_labels=APP),
            template=template(image),
            strategy=DeploymentStrategy(
                type=strategy, rolling_update=rolling if strategy == "RollingUpdate" else None
            ),
            progress_deadline_seconds=deadline,
            revision_history_limit=10,
            paused=paused,
        ),
        status=status or DeploymentStatus(),
    )


def replicaset(
    name: str = "rs",
    size: int = 3,
    available: int = 0,
    *,
    created: int = 0,
    image: str = "v1",
    annotations: dict[str, str] | None = None,
    replicas: int | None = None,
    ready: int | None = None,
    observed: int = 1,
    terminating: int | None = 0,
) -> ReplicaSet:
    """A ReplicaSet of `size` with so many available."""
    return ReplicaSet(
        metadata=ObjectMeta(
            name=name,
            namespace="ns",
            uid=f"uid-{name}",
            generation=1,
            creation_timestamp=created * SECOND,
            annotations=FrozenDict(annotations or {}),
        ),
        spec=ReplicaSetSpec(
            replicas=size, selector=LabelSelector(match_labels=APP), template=template(image)
        ),
        status=ReplicaSetStatus(
            replicas=size if replicas is None else replicas,
            ready_replicas=available if ready is None else ready,
            available_replicas=available,
            observed_generation=observed,
            terminating_replicas=terminating,
        ),
    )


def node(
    name: str = "node-1",
    *,
    ready: str | None = "True",
    heartbeat: int = 0,
    taints: tuple[Taint, ...] = (),
    cordoned: bool = False,
    zone: str = "",
) -> Node:
    """A node with a Ready condition, or without one."""
    conditions: tuple[NodeCondition, ...] = ()
    if ready is not None:
        conditions = (
            NodeCondition(
                type="Ready", status=ready, last_heartbeat_time=heartbeat * SECOND, last_transition_time=0
            ),
        )
    return Node(
        metadata=ObjectMeta(
            name=name,
            uid=f"uid-{name}",
            labels=FrozenDict({"topology.kubernetes.io/zone": zone} if zone else {}),
            creation_timestamp=0,
        ),
        spec=NodeSpec(taints=taints, unschedulable=cordoned),
        status=NodeStatus(conditions=conditions),
    )
