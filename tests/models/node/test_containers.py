"""What a pod's containers need next: `models/node/containers.py` (computePodActions)."""

from chaoskube.models.node.containers import Actions, Judged, actions_for
from chaoskube.models.node.sandbox import ContainerRecord
from chaoskube.models.objects import Container, PodSpec

INIT, SIDE = Container(name="init"), Container(name="side", restart_policy="Always")
WEB, HELPER = Container(name="web"), Container(name="helper")


def record(name: str, exit_code: int | None = None) -> ContainerRecord:
    return ContainerRecord(
        id=f"{name}/0", name=name, is_init=False, attempt=0, image="", started_ns=0, exit_code=exit_code
    )


def actions(
    *records: ContainerRecord,
    init: tuple[Container, ...] = (),
    policy: str = "Always",
    must_die: str = "",
    not_started: str = "",
) -> Actions:
    spec = PodSpec(restart_policy=policy, init_containers=init, containers=(WEB, HELPER))
    judged = Judged(must_die=lambda one: one.name == must_die, is_started=lambda one: one.name != not_started)
    return actions_for(spec, {one.name: one for one in records}, judged)


def test_init_containers_come_one_at_a_time_before_all_others() -> None:
    """Each must exit 0."""
    other = Container(name="other")

    assert actions(init=(INIT, other)) == Actions(start_init=(INIT,))
    assert actions(record("init"), init=(INIT, other)) == Actions()
    assert actions(record("init", 0), init=(INIT, other)) == Actions(start_init=(other,))
    assert actions(record("init", 0), record("other", 0), init=(INIT, other)).start == (WEB, HELPER)


def test_a_failed_init_container_is_tried_again_unless_the_policy_says_never() -> None:
    """Failure: restart with back-off, or the pod fails."""
    assert actions(record("init", 1), init=(INIT,)).start_init == (INIT,)
    assert actions(record("init", 1), init=(INIT,), policy="Never") == Actions()


def test_a_sidecar_counts_as_done_once_it_has_started() -> None:
    """The next init container begins when its startup probe has succeeded."""
    assert actions(record("side"), init=(SIDE, INIT), not_started="side") == Actions()
    assert actions(record("side"), init=(SIDE, INIT)).start_init == (INIT,)


def test_a_sidecar_is_restarted_while_the_application_runs() -> None:
    """Always, whatever the pod's policy."""
    found = actions(record("side", 1), record("web"), record("helper"), init=(SIDE,), policy="Never")

    assert found == Actions(start_init=(SIDE,))


def test_only_what_has_ended_is_started_again() -> None:
    """Each container on its own."""
    assert actions(record("web", 1), record("helper")).start == (WEB,)
    assert actions(record("web", 0), record("helper"), policy="OnFailure") == Actions()


def test_an_unhealthy_container_is_killed_then_started() -> None:
    """With Never it is only killed."""
    running = (record("web"), record("helper"))

    assert actions(*running, must_die="web") == Actions(kill=(WEB,), start=(WEB,))
    assert actions(*running, must_die="web", policy="Never") == Actions(kill=(WEB,))
