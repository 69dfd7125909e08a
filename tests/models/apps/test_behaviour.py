"""What applications do unless told otherwise: `models/apps`."""

import pytest

from chaoskube.models.apps.behaviour import Behaviour, assumptions, behaviour_of
from chaoskube.models.apps.ports import no_targets, ports_of, targets_of
from chaoskube.models.apps.web import sleep_of
from chaoskube.models.objects import (
    Container,
    ContainerPort,
    FrozenDict,
    GRPCAction,
    ObjectMeta,
    Pod,
    PodSpec,
    PodTemplateSpec,
    Probe,
    Service,
    ServicePort,
    ServiceSpec,
)
from chaoskube.sim import MILLISECOND, SECOND, UsageError


def test_annotations_set_what_the_application_does() -> None:
    """The four of the issue."""
    behaviour = behaviour_of(
        {
            "chaoskube.dev/listen-after": "500ms",
            "chaoskube.dev/drain": "10s",
            "chaoskube.dev/ignore-sigterm": "true",
            "chaoskube.dev/work": "50ms",
            "other.example/x": "y",
        },
        "pod web",
    )

    assert behaviour == Behaviour(
        listen_after_ns=500 * MILLISECOND,
        drain_ns=10 * SECOND,
        ignore_sigterm=True,
        work_ns=50 * MILLISECOND,
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("drain", "soon", "deployment vote: annotation chaoskube.dev/drain: 'soon' is not a duration"),
        ("ignore-sigterm", "yes", 'is neither "true" nor "false"'),
        ("drian", "10s", "annotation chaoskube.dev/drian is unknown; did you mean chaoskube.dev/drain?"),
    ],
)
def test_a_wrong_annotation_is_named_with_what_would_be_right(key: str, value: str, words: str) -> None:
    """One clear sentence, no traceback."""
    with pytest.raises(UsageError) as error:
        behaviour_of({f"chaoskube.dev/{key}": value}, "deployment vote")

    assert words in str(error.value)


def test_assumptions_name_what_nobody_set() -> None:
    """A story prints them."""
    bare = PodTemplateSpec()
    set_all = PodTemplateSpec(
        metadata=ObjectMeta(
            annotations=FrozenDict({"chaoskube.dev/listen-after": "1s", "chaoskube.dev/drain": "5s"})
        )
    )

    assert assumptions(bare, "vote") == (
        (
            "vote: listens 2 s after its container starts, exits at once on SIGTERM (if not, set "
            "chaoskube.dev/listen-after, chaoskube.dev/drain on its pods)"
        ),
    )
    assert assumptions(set_all, "vote") == ()


def a_pod(*containers: Container) -> Pod:
    meta = ObjectMeta(name="web-1", namespace="default", labels=FrozenDict({"app": "web"}))
    return Pod(metadata=meta, spec=PodSpec(containers=containers))


def test_it_listens_on_declared_probed_and_targeted_ports() -> None:
    """Manifests often declare no port at all and rely on the Service's targetPort."""
    web = Container(
        name="web",
        ports=(ContainerPort(container_port=80), ContainerPort(container_port=53, protocol="UDP")),
        readiness_probe=Probe(grpc=GRPCAction(port=9555)),
    )
    side = Container(name="side", ports=(ContainerPort(container_port=80), ContainerPort(container_port=90)))
    service = Service(
        metadata=ObjectMeta(name="web"),
        spec=ServiceSpec(
            selector=FrozenDict({"app": "web"}),
            ports=(ServicePort(port=80, target_port=8080), ServicePort(port=443, target_port="https")),
        ),
    )
    pod = a_pod(web, side)

    assert ports_of(pod, web, targets_of([service])) == (80, 8080, 9555)
    assert ports_of(pod, side, targets_of([service])) == (90,)
    assert ports_of(a_pod(Container(name="worker")), Container(name="worker"), no_targets) == ()


@pytest.mark.parametrize(
    ("command", "seconds_ns"),
    [
        (("sleep", "5"), 5 * SECOND),
        (("/bin/sh", "-c", "sleep 10"), 10 * SECOND),
        (("sh", "-c", "sleep 3; nginx -s quit"), 3 * SECOND),
        (("nginx", "-s", "quit"), None),
    ],
)
def test_sleeps_are_understood(command: tuple[str, ...], seconds_ns: int | None) -> None:
    """The preStop that Kubernetes' own documents recommend."""
    assert sleep_of(command) == seconds_ns
