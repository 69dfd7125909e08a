"""Custom resources in a world with two API servers: names, schemas, versions, subresources, and the end of a definition."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.apiserver.api import ObjectList, Status
from chaoskube.models.objects import CustomResourceDefinition, GenericObject, decode
from chaoskube.models.objects.conditions import get_condition
from chaoskube.sim import SECOND

MERGE_PATCH = "application/merge-patch+json"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TILLS = "/apis/shop.example/v1/namespaces/default/tills"
PROPERTIES: dict[str, Any] = {
    "drawers": {"type": "integer", "minimum": 1, "maximum": 9},
    "replicas": {"type": "integer", "default": 2},
    "colour": {"type": "string"},
}
SPEC = {
    "type": "object",
    "required": ["drawers"],
    "properties": PROPERTIES,
    "x-kubernetes-validations": [
        {"rule": "self.drawers <= self.replicas * 3", "message": "too many drawers"}
    ],
}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": SPEC,
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
    },
}


def version(name: str = "v1", **fields: Any) -> dict[str, Any]:
    """One version of the definition."""
    found = {
        "name": name,
        "served": True,
        "storage": name == "v1",
        "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
        "selectableFields": [{"jsonPath": ".spec.colour"}],
    }
    return {**found, **fields}


def definition(
    *versions: dict[str, Any], plural: str = "tills", scope: str = "Namespaced", **names: Any
) -> dict[str, Any]:
    """A whole definition as a tree."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": scope,
            "names": {"plural": plural, "kind": "Till", "listKind": "TillList", "singular": "till", **names},
            "versions": list(versions or (version(),)),
        },
    }


def till(name: str, version: str = "v1", **spec: Any) -> dict[str, Any]:
    """A custom object."""
    return {
        "apiVersion": f"shop.example/{version}",
        "kind": "Till",
        "metadata": {"name": name},
        "spec": {"drawers": 1, **spec},
    }


def establish(api: Any, tree: dict[str, Any] | None = None) -> None:
    """Create a definition, and wait until every server takes objects at once."""
    code, answer = api.http("POST", DEFINITIONS, body=tree or definition())
    assert code == 201, answer
    api.world.advance(3 * SECOND)


def test_a_resource_is_served_once_its_names_are_accepted(api: Any) -> None:
    """404 before, by every server after."""
    assert api.http("GET", TILLS) == (404, "404 page not found\n")

    establish(api)

    for server in (0, 1):
        found = api.do("list", "tills", server=server)
        assert isinstance(found, ObjectList) and found.kind == "TillList", found
    stored = api.do("get", "customresourcedefinitions", "tills.shop.example", namespace="")
    assert isinstance(stored, CustomResourceDefinition)
    said = [(one.type, one.status, one.reason) for one in stored.status.conditions]
    assert said == [("NamesAccepted", "True", "NoConflicts"), ("Established", "True", "InitialNamesAccepted")]
    assert stored.status.accepted_names == stored.spec.names


def test_a_server_that_has_not_heard_of_a_definition_knows_no_such_resource(api: Any) -> None:
    """Each believes its own cache of definitions."""
    api.delay_etcd_watch(1, "customresourcedefinitions", 30 * SECOND)

    establish(api)

    assert isinstance(api.do("list", "tills", server=0), ObjectList)
    refused = api.do("list", "tills", server=1)
    assert isinstance(refused, Status) and refused.code == 404
    api.world.advance(30 * SECOND)
    assert isinstance(api.do("list", "tills", server=1), ObjectList)


def test_a_server_that_has_just_started_does_not_say_that_it_knows_no_such_resource(api: Any) -> None:
    """Clients would take 404 for the truth; 503 they try again."""
    establish(api)
    api.servers[0].crash()
    api.world.network.delay_stream("*", "apiserver-0", "etcd", 2 * SECOND)
    api.servers[0].start()
    api.world.advance(SECOND)
    refused = api.do("list", "tills", server=0)
    api.world.advance(20 * SECOND)

    if isinstance(refused, Status):
        assert (refused.code, refused.reason) == (503, "ServiceUnavailable")
    assert isinstance(api.do("list", "tills", server=0), ObjectList)


def test_an_object_is_pruned_defaulted_and_judged(api: Any) -> None:
    """As the recording of a real server has it; more in the recording itself."""
    establish(api)

    code, made = api.http("POST", TILLS, body=till("a", junk=1))
    assert code == 201
    assert made["spec"] == {"drawers": 1, "replicas": 2} and made["metadata"]["generation"] == 1

    code, refused = api.http("POST", TILLS, body=till("b", drawers=7))
    assert (code, refused["message"]) == (
        422,
        'Till.shop.example "b" is invalid: spec: Invalid value: too many drawers',
    )
    code, refused = api.http("POST", TILLS, {"fieldValidation": "Strict"}, body=till("b", junk=1))
    assert (code, refused["message"]) == (
        400,
        'Till in version "v1" cannot be handled as a Till: strict decoding error: unknown field "spec.junk"',
    )


def test_status_and_spec_are_written_apart(api: Any) -> None:
    """The generation counts what is wanted; neither write touches the other's part, nor a status the labels."""
    establish(api)
    api.http("POST", TILLS, body={**till("a"), "status": {"replicas": 9}})

    _, patched = api.http(
        "PATCH", f"{TILLS}/a", None, MERGE_PATCH, {"spec": {"drawers": 2}, "status": {"replicas": 9}}
    )
    assert patched["metadata"]["generation"] == 2 and "status" not in patched
    change = {"metadata": {"labels": {"x": "y"}}, "spec": {"drawers": 3}, "status": {"replicas": 1}}
    _, patched = api.http("PATCH", f"{TILLS}/a/status", None, MERGE_PATCH, change)

    assert patched["status"] == {"replicas": 1} and patched["spec"]["drawers"] == 2
    assert "labels" not in patched["metadata"] and patched["metadata"]["generation"] == 2


def test_without_a_status_subresource_a_status_is_a_field_like_any_other(api: Any) -> None:
    """It is kept on creation, counted by the generation, and there is no such path."""
    establish(api, definition(version(subresources={})))
    _, made = api.http("POST", TILLS, body={**till("a"), "status": {"replicas": 9}})
    _, patched = api.http("PATCH", f"{TILLS}/a", None, MERGE_PATCH, {"status": {"replicas": 8}})

    assert made["status"] == {"replicas": 9}
    assert patched["status"] == {"replicas": 8} and patched["metadata"]["generation"] == 2
    assert api.http("GET", f"{TILLS}/a/status")[0] == 404


def test_scale_is_a_view_by_the_paths_of_the_definition(api: Any) -> None:
    """GET, PUT and PATCH; the generation moves, the bounds are those of a number of replicas."""
    establish(api)
    api.http("POST", TILLS, body=till("a"))

    _, scale = api.http("PATCH", f"{TILLS}/a/scale", None, MERGE_PATCH, {"spec": {"replicas": 5}})
    assert scale["spec"] == {"replicas": 5} and scale["status"] == {"replicas": 0}
    _, whole = api.http("GET", f"{TILLS}/a")
    assert whole["spec"]["replicas"] == 5 and whole["metadata"]["generation"] == 2
    code, refused = api.http("PATCH", f"{TILLS}/a/scale", None, MERGE_PATCH, {"spec": {"replicas": -1}})
    assert code == 422, refused


def test_a_strategic_patch_is_refused(api: Any) -> None:
    """It needs Go types."""
    establish(api)
    api.http("POST", TILLS, body=till("a"))

    code, refused = api.http(
        "PATCH", f"{TILLS}/a", None, "application/strategic-merge-patch+json", {"spec": {"drawers": 2}}
    )

    assert code == 415
    assert refused["message"].endswith(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )


def test_an_update_says_what_it_replaces(api: Any) -> None:
    """AllowUnconditionalUpdate is false for custom objects."""
    establish(api)
    _, made = api.http("POST", TILLS, body=till("a"))

    code, refused = api.http("PUT", f"{TILLS}/a", body=till("a", drawers=2))
    assert code == 422 and "must be specified for an update" in refused["message"]
    body = {**made, "spec": {**made["spec"], "drawers": 2}}
    assert api.http("PUT", f"{TILLS}/a", body=body)[0] == 200
    assert api.http("PUT", f"{TILLS}/a", body=body)[0] == 409


def test_objects_are_listed_and_watched_by_selectable_fields(api: Any) -> None:
    """A field that isn't among them is refused."""
    establish(api)
    seen = api.watch("tills", field_selector="spec.colour=red")
    for name, colour in (("a", "red"), ("b", "blue")):
        api.http("POST", TILLS, body=till(name, colour=colour))
    api.http("PATCH", f"{TILLS}/b", None, MERGE_PATCH, {"spec": {"colour": "red"}})
    api.http("PATCH", f"{TILLS}/a", None, MERGE_PATCH, {"spec": {"colour": "blue"}})
    api.world.advance(SECOND)

    assert seen.seen() == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert api.names("tills", field_selector="spec.colour!=red") == ["a"]
    code, refused = api.http("GET", TILLS, {"fieldSelector": "spec.drawers=1"})
    assert (code, refused["message"]) == (400, "field label not supported: spec.drawers")


def test_one_object_is_served_in_several_versions(api: Any) -> None:
    """Stored as v1, seen as what is asked for, by reads, lists and watches alike; a patch of one is seen by the other."""
    older = version(
        "v1beta1",
        selectableFields=[],
        schema={"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    )
    establish(api, definition(version(), older))
    beta = "/apis/shop.example/v1beta1/namespaces/default/tills"
    seen = api.watch("tills.v1beta1.shop.example")

    assert (
        api.http("POST", beta, body=till("a", "v1beta1", drawers=1))[1]["apiVersion"]
        == "shop.example/v1beta1"
    )
    _, stable = api.http("GET", f"{TILLS}/a")
    assert stable["apiVersion"] == "shop.example/v1" and stable["spec"] == {"drawers": 1, "replicas": 2}
    api.http("PATCH", f"{TILLS}/a", None, MERGE_PATCH, {"spec": {"drawers": 2}})
    api.world.advance(SECOND)

    assert [event.object.api_version for event in seen.events] == ["shop.example/v1beta1"] * 2
    assert [item["apiVersion"] for item in api.http("GET", beta)[1]["items"]] == ["shop.example/v1beta1"]
    code, refused = api.http("POST", TILLS, body=till("b", "v1beta1"))
    assert code == 400 and "does not match the expected API version (shop.example/v1)" in refused["message"]


def test_a_new_schema_ends_watches_and_shows_in_old_objects(api: Any) -> None:
    """A default that was added later is seen when old objects are read."""
    establish(api)
    api.http("POST", TILLS, body=till("a"))
    seen = api.watch("tills")
    changed: dict[str, Any] = {
        **SPEC,
        "properties": {**PROPERTIES, "open": {"type": "boolean", "default": True}},
    }
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": changed}}}
    patch = {"spec": {"versions": [version(schema=schema)]}}

    code, answer = api.http("PATCH", f"{DEFINITIONS}/tills.shop.example", None, MERGE_PATCH, patch)
    assert code == 200, answer
    api.world.advance(SECOND)

    assert seen.end
    assert api.http("GET", f"{TILLS}/a")[1]["spec"] == {"drawers": 1, "replicas": 2, "open": True}
    assert api.http("GET", TILLS)[1]["items"][0]["spec"]["open"] is True


def test_the_first_definition_keeps_a_name_and_the_second_gets_it_when_it_is_free(api: Any) -> None:
    """Names are taken within a group."""
    establish(api)
    establish(api, definition(plural="boxes"))
    second = api.do("get", "customresourcedefinitions", "boxes.shop.example", namespace="")
    accepted = get_condition(second.status.conditions, "NamesAccepted")
    assert accepted is not None

    assert (accepted.status, accepted.reason, accepted.message) == (
        "False",
        "ListKindConflict",
        '"TillList" is already in use',
    )
    assert second.status.accepted_names.plural == "boxes" and second.status.accepted_names.kind == ""
    assert api.do("list", "boxes").code == 404

    api.http("DELETE", f"{DEFINITIONS}/tills.shop.example")
    api.world.advance(3 * SECOND)
    assert isinstance(api.do("list", "boxes"), ObjectList)


def test_a_definition_takes_its_objects_along(api: Any) -> None:
    """Marked first; its objects go, then it; until then no new ones are taken."""
    establish(api)
    api.http(
        "POST", TILLS, body={**till("a"), "metadata": {"name": "a", "finalizers": ["shop.example/hold"]}}
    )
    seen = api.watch("tills")

    code, marked = api.http("DELETE", f"{DEFINITIONS}/tills.shop.example")
    assert code == 200 and marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    api.world.advance(SECOND)
    assert api.http("GET", f"{TILLS}/a")[1]["metadata"]["deletionTimestamp"]
    code, refused = api.http("POST", TILLS, body=till("b"))
    assert (code, refused["message"]) == (
        403,
        'tills.shop.example "b" is forbidden: create not allowed while custom resource definition is terminating',
    )
    assert api.http("GET", f"{DEFINITIONS}/tills.shop.example")[0] == 200

    api.http("PATCH", f"{TILLS}/a", None, MERGE_PATCH, {"metadata": {"finalizers": None}})
    api.world.advance(10 * SECOND)
    assert api.http("GET", f"{DEFINITIONS}/tills.shop.example")[0] == 404
    assert api.http("GET", TILLS) == (404, "404 page not found\n")
    assert seen.seen()[-1] == ("DELETED", "a") and seen.end


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"metadata": {"name": "x"}},
            'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
        ),
        (
            {"spec": {"scope": "World"}},
            'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
        ),
        (
            {"spec": {"versions": [version(storage=False)]}},
            "must have exactly one version marked as storage version",
        ),
        (
            {"spec": {"versions": [version(schema=None)]}},
            "spec.versions[0].schema.openAPIV3Schema: Required value",
        ),
        (
            {
                "spec": {
                    "versions": [
                        version(schema={"openAPIV3Schema": {"type": "object", "properties": {"a": {}}}})
                    ]
                }
            },
            "spec.validation.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields",
        ),
        (
            {"spec": {"versions": [version(selectableFields=[{"jsonPath": ".spec.nothing"}])]}},
            "spec.versions[0].selectableFields[0].jsonPath: Invalid value",
        ),
    ],
)
def test_a_definition_that_cannot_be_served_is_refused(api: Any, change: dict[str, Any], said: str) -> None:
    """With the words of the real server."""
    tree = definition()
    body = {
        part: {**value, **change.get(part, {})} if isinstance(value, dict) else value
        for part, value in tree.items()
    }

    code, refused = api.http("POST", DEFINITIONS, body=body)

    assert code == 422 and said in refused["message"], refused


def test_what_storage_hangs_on_cannot_change(api: Any) -> None:
    """Group, plural, and once established scope and kind."""
    establish(api)

    code, refused = api.http(
        "PATCH", f"{DEFINITIONS}/tills.shop.example", None, MERGE_PATCH, {"spec": {"scope": "Cluster"}}
    )

    assert code == 422 and 'spec.scope: Invalid value: "Cluster": field is immutable' in refused["message"]


def test_an_object_that_is_no_tree_is_treated_alike(api: Any) -> None:
    """Clients inside the simulation send objects; the schema is the same."""
    establish(api)
    made = api.do("create", "tills", body=decode(till("a", junk=1)))

    assert isinstance(made, GenericObject) and dict(made.content["spec"]) == {"drawers": 1, "replicas": 2}


def test_a_definition_that_serves_nothing_goes_too(api: Any) -> None:
    """It must not wait for ever."""
    establish(api, definition(version(served=False)))
    assert api.http("GET", TILLS) == (404, "404 page not found\n")

    api.http("DELETE", f"{DEFINITIONS}/tills.shop.example")
    api.world.advance(10 * SECOND)

    assert api.http("GET", f"{DEFINITIONS}/tills.shop.example")[0] == 404
