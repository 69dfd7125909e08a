"""The catalogue of resources: names, versions, and custom ones beside the built-in ones."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects.resources import Resources, custom_resources, resource_of, version_priority
from chaoskube.sim import UsageError


def definition(*versions: str, group: str = "shop.example", **names: Any) -> dict[str, Any]:
    """The spec of a definition; the first version is the one that is stored."""
    return {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": "tills", "singular": "till", "kind": "Till", "listKind": "TillList", **names},
        "versions": [
            {"name": name, "served": True, "storage": name == versions[0], "subresources": {"status": {}}}
            for name in versions
        ],
    }


def served(*definitions: dict[str, Any]) -> Resources:
    """A registry that knows these definitions."""
    return Resources(one for each in definitions for one in custom_resources(each))


def test_a_custom_resource_is_found_by_each_of_its_names() -> None:
    """kubectl and clients use the plural, the plural with the group, or with version and group."""
    known = served(definition("v1beta1", "v1"))

    newest = known.resource_of("tills")

    assert newest.api_version == "shop.example/v1"
    assert newest.name == "tills.shop.example"
    assert known.resource_of("tills.shop.example") is newest
    assert known.resource_of("tills", "shop.example") is newest
    assert known.resource_of("tills.v1beta1.shop.example").api_version == "shop.example/v1beta1"
    assert known.resource_for("Till", "shop.example/v1beta1").name == "tills.v1beta1.shop.example"
    assert known.resource_of(newest.name) is newest


def test_every_version_says_what_is_stored() -> None:
    """Objects have one apiVersion in etcd, whichever they were written with."""
    stored = {one.custom.stored_as for one in custom_resources(definition("v1beta1", "v1")) if one.custom}

    assert stored == {"shop.example/v1beta1"}


def test_a_built_in_resource_keeps_its_bare_name() -> None:
    """A definition whose plural is `pods` must not take the pods away."""
    known = served(definition("v1", plural="pods", kind="Pod"))

    assert known.resource_of("pods").group == ""
    assert known.resource_of("pods.shop.example").group == "shop.example"
    assert known.resource_for("Pod", "v1") is resource_of("pods")


def test_what_is_gone_is_not_served() -> None:
    """After the end of its definition a resource is as unknown as before it."""
    known = served(definition("v1"))
    known.put("tills.shop.example", ())

    assert known.at("shop.example/v1") == ()
    with pytest.raises(UsageError, match="'tills' is not served"):
        known.resource_of("tills")
    with pytest.raises(UsageError, match="shop.example/v1 Till is not served"):
        known.resource_for("Till", "shop.example/v1")


def test_one_registry_says_nothing_of_another() -> None:
    """Two API servers learn of a definition at different times."""
    served(definition("v1"))

    with pytest.raises(UsageError):
        Resources().resource_of("tills")
    with pytest.raises(UsageError):
        resource_of("tills")


def test_versions_are_preferred_in_the_order_that_kubernetes_documents() -> None:
    """The example of the documentation on versions of CustomResourceDefinitions."""
    expected = [
        "v10",
        "v2",
        "v1",
        "v11beta2",
        "v10beta3",
        "v3beta1",
        "v12alpha1",
        "v11alpha2",
        "foo1",
        "foo10",
    ]

    assert sorted(set(expected), key=version_priority) == expected
