"""Messages that print the server's own structs are as recorded; shapes of Go are read from its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.models.objects import (
    PodDisruptionBudgetSpec,
    PodSpec,
    PodTemplateSpec,
    decode_as,
    evolve,
    inside_build,
)
from chaoskube.models.objects.inside import difference, inside


def test_a_struct_is_shown_with_all_its_fields_by_their_go_names() -> None:
    """Recorded: api-invalid-objects, a budget with both bounds."""
    spec = decode_as(
        PodDisruptionBudgetSpec,
        {"minAvailable": 1, "maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    )

    assert inside(spec) == {
        "MinAvailable": 1,
        "Selector": {"matchLabels": {"app": "web"}},
        "MaxUnavailable": 1,
        "UnhealthyPodEvictionPolicy": None,
    }


def test_the_hosts_namespaces_are_in_the_security_context_inside() -> None:
    """v1 has them beside it, the server's own PodSpec in it."""
    spec = decode_as(
        PodSpec, {"containers": [], "hostNetwork": True, "hostPID": True, "securityContext": {"runAsUser": 7}}
    )

    shown = inside(spec)

    assert isinstance(shown, dict) and "HostNetwork" not in shown
    context = shown["SecurityContext"]
    assert (context["HostNetwork"], context["HostPID"], context["HostIPC"], context["RunAsUser"]) == (
        True,
        True,
        False,
        7,
    )


def test_metadata_of_a_template_stands_beside_its_spec() -> None:
    """metav1.ObjectMeta is embedded: its fields have no name around them."""
    template = decode_as(PodTemplateSpec, {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}})

    shown = inside(template)

    assert isinstance(shown, dict) and list(shown) == ["labels", "Spec"]


def test_a_difference_is_the_changed_lines_with_three_around() -> None:
    """Recorded: api-immutable-fields, another restart policy."""
    old = decode_as(PodSpec, {"containers": [], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst"})

    text = difference(old, evolve(old, restart_policy="Never"))

    assert text == (
        "@@ -3,7 +3,7 @@\n"
        '  "InitContainers": null,\n'
        '  "Containers": null,\n'
        '  "EphemeralContainers": null,\n'
        '- "RestartPolicy": "Always",\n'
        '+ "RestartPolicy": "Never",\n'
        '  "TerminationGracePeriodSeconds": null,\n'
        '  "ActiveDeadlineSeconds": null,\n'
        '  "DNSPolicy": "ClusterFirst",\n'
    )


def test_values_that_are_no_structs_are_shown_as_they_are() -> None:
    """Numbers, texts, lists."""
    assert (inside(3), inside("x"), inside(("a", "b")), inside(None)) == (3, "x", ["a", "b"], None)


def test_shapes_are_read_from_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedded structs, pointers, names for other types."""
    source = tmp_path / "types.go"
    source.write_text(
        "type Mode string\n"
        "type Inner struct {\n\tAt *metav1.Time // when\n}\n"
        'type PodTemplateSpec struct {\n\tmetav1.ObjectMeta\n\n\t// what\n\tInner\n\tMode Mode `json:"m"`\n\tAll []Inner\n}\n'
    )
    monkeypatch.setattr(inside_build, "__file__", str(tmp_path / "inside_build.py"))

    inside_build.main([source])

    assert (tmp_path / "inside.json.gz").stat().st_size > 0
    fields = inside_build._fields("\tInner\n\tMode Mode\n")
    assert fields == [("", "Inner"), ("Mode", "Mode")]
    assert inside_build._plain("map[ResourceName]Mode", {"Mode": "string"}) == "map[]string"
