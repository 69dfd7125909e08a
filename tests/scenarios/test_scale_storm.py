"""What is drawn in scale-storm: users make and take pods, and what is aimed at is whoever counts them."""

from __future__ import annotations

from chaoskube.discovery import scenario_named
from chaoskube.run import Session


def test_who_counts_pods_leads_and_what_it_sees_of_them() -> None:
    """Aims of a hunt go by `leading-...`: elsewhere Deployments have none."""
    with Session(scenario_named("scale-storm")) as session:
        session.warm_up()
        leading = {kind: session.targets(f"leading-{kind}") for kind in ("process", "stream", "node")}
        known = {kind: session.targets(kind) for kind in ("process", "stream")}

    assert leading == {
        "process": ("controller-manager-0",),
        "stream": ("watch/pods@*>controller-manager-0",),
        "node": (),
    }
    assert all(set(leading[kind]) < set(names) for kind, names in known.items())


def test_every_user_of_the_menu_moves_pods_and_every_fault_may_hide_one() -> None:
    """What only etcd's disks and machines' clocks feel, and labels that move nothing, are for other scenarios."""
    verbs = {action.verb for action in scenario_named("scale-storm").menu}

    assert {"roll", "scale", "delete-pod", "delay-stream", "freeze-stream", "lose-answer"} <= verbs
    assert not verbs & {"label", "annotate", "bit-rot", "clock-jump", "slow-disk"}
