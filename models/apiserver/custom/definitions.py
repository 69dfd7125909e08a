"""CustomResourceDefinitions: which are taken, which resources they stand for, and what a DELETE does to one. Pure.

A resource is served once its names are accepted: the definition's status says so, and each server believes its own cache of
definitions. A definition that is deleted stays until its objects are gone: it is marked, gets a finalizer and the condition
Terminating, and new objects are refused from then on.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go,
pkg/registry/customresourcedefinition/{strategy,etcd}.go, pkg/apiserver/customresource_handler.go.

Called by `validation.py`, `handlers.py` and `registry.py`.
Not modelled: printer columns, conversion webhooks (not looked at), most of what an update may keep though it is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import evolve

from chaoskube.models.objects import (
    CustomResourceDefinition,
    CustomResourceDefinitionCondition,
    CustomResourceDefinitionNames,
    KubeObject,
    encode,
    freeze,
)
from chaoskube.models.objects.causes import Cause, duplicate, forbidden, invalid, required, unsupported
from chaoskube.models.objects.conditions import is_true, set_condition
from chaoskube.models.objects.names import dns_subdomain
from chaoskube.models.objects.resources import Resource, Resources, custom_resources
from chaoskube.models.objects.structural import schema_problems

CLEANUP_FINALIZER: Final = "customresourcecleanup.apiextensions.k8s.io"
NAMES_ACCEPTED: Final = "NamesAccepted"
ESTABLISHED: Final = "Established"
TERMINATING: Final = "Terminating"
SELECTABLE_FIELDS_MAX: Final = 8
SECOND_NS: Final = 1_000_000_000
APPROVAL: Final = "api-approved.kubernetes.io"
_LABEL: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABEL_RULE: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


# ---- which resources it stands for


def served_resources(definition: CustomResourceDefinition) -> tuple[Resource, ...]:
    """The resources that a server serves for it, under the names that were accepted; () before that."""
    conditions = definition.status.conditions
    if not is_true(conditions, NAMES_ACCEPTED) and not is_true(conditions, ESTABLISHED):
        return ()
    spec = encode(definition.spec)
    spec["names"] = encode(definition.status.accepted_names)
    return custom_resources(freeze(spec))


def resources_of(definitions: Iterable[KubeObject]) -> Resources:
    """All resources that these definitions stand for, besides the built-in ones."""
    known = Resources()
    for definition in definitions:
        if isinstance(definition, CustomResourceDefinition):
            known.put(definition.name, served_resources(definition))
    return known


def is_terminating(definition: CustomResourceDefinition) -> bool:
    """Whether no new objects are taken any more."""
    is_marked = definition.metadata.deletion_timestamp is not None
    return is_marked or is_true(definition.status.conditions, TERMINATING)


def with_condition(
    definition: CustomResourceDefinition, type: str, status: str, reason: str, message: str, now_ns: int
) -> CustomResourceDefinition:
    """The definition with this condition; its time moves only with its status."""
    condition = CustomResourceDefinitionCondition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=now_ns - now_ns % SECOND_NS,
    )
    conditions = set_condition(definition.status.conditions, condition)
    return evolve(definition, status=evolve(definition.status, conditions=conditions))


def marked_for_deletion(definition: CustomResourceDefinition, now_ns: int) -> CustomResourceDefinition:
    """What the first DELETE makes of a definition: its objects go first."""
    metadata = definition.metadata
    finalizers = metadata.finalizers
    if CLEANUP_FINALIZER not in finalizers:
        finalizers = (*finalizers, CLEANUP_FINALIZER)
    metadata = evolve(metadata, deletion_timestamp=now_ns - now_ns % SECOND_NS, finalizers=finalizers)
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    return with_condition(
        evolve(definition, metadata=metadata), TERMINATING, "True", "InstanceDeletionPending", message, now_ns
    )


# ---- which are taken


def definition_causes(new: CustomResourceDefinition) -> tuple[Cause, ...]:
    """Why this definition may not be created; what holds for all metadata isn't asked here."""
    return (*_name_causes(new), *_spec_causes(new), *_stored_causes(new), *_approval_causes(new))


def definition_update_causes(
    old: CustomResourceDefinition, new: CustomResourceDefinition
) -> tuple[Cause, ...]:
    """Why `old` may not become `new`: storage hangs on its names and its scope."""
    found = [*_spec_causes(new)]
    if is_true(old.status.conditions, ESTABLISHED):
        found += _immutable("spec.scope", old.spec.scope, new.spec.scope)
        found += _immutable("spec.names.kind", old.spec.names.kind, new.spec.names.kind)
    found += _immutable("spec.group", old.spec.group, new.spec.group)
    found += _immutable("spec.names.plural", old.spec.names.plural, new.spec.names.plural)
    return (*found, *_stored_causes(new))


def _immutable(field: str, old: str, new: str) -> list[Cause]:
    return [] if old == new else [invalid(field, new, "field is immutable")]


def _name_causes(new: CustomResourceDefinition) -> Iterator[Cause]:
    if new.name != f"{new.spec.names.plural}.{new.spec.group}":
        yield invalid("metadata.name", new.name, 'must be spec.names.plural+"."+spec.group')


def _spec_causes(new: CustomResourceDefinition) -> Iterator[Cause]:
    spec = new.spec
    yield from _group_causes(spec.group)
    if not spec.scope:
        yield required("spec.scope")
    elif spec.scope not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", spec.scope, ("Cluster", "Namespaced"))
    yield from _version_causes(new)
    yield from _names_causes(spec.names)
    if spec.preserve_unknown_fields:
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, why)


def _group_causes(group: str) -> Iterator[Cause]:
    if not group:
        yield required("spec.group")
    elif problems := dns_subdomain(group):
        yield invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _version_causes(new: CustomResourceDefinition) -> Iterator[Cause]:
    versions: list[dict[str, Any]] = encode(new.spec).get("versions") or []
    names = [version["name"] for version in versions]
    schemas = [freeze((version.get("schema") or {}).get("openAPIV3Schema")) for version in versions]
    is_shared = bool(schemas) and schemas[0] is not None and all(one == schemas[0] for one in schemas)
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if not _LABEL.fullmatch(version["name"]):
            yield invalid(f"{path}.name", version["name"], _LABEL_RULE)
        if schemas[index] is None:
            yield required(f"{path}.schema.openAPIV3Schema")
        elif not is_shared:
            yield from _schema_causes(schemas[index], f"{path}.schema.openAPIV3Schema", version)
        yield from _subresource_causes(version, f"{path}.subresources")
        yield from _selectable_causes(version, schemas[index] or {}, f"{path}.selectableFields")
    if is_shared:
        # schemas that are all alike stand above the versions, inside the server
        yield from _schema_causes(schemas[0], "spec.validation.openAPIV3Schema", versions[0])
    if len(set(names)) != len(names):
        yield invalid("spec.versions", versions, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield invalid("spec.versions", versions, "must have exactly one version marked as storage version")


def _schema_causes(schema: Mapping[str, Any], path: str, version: Mapping[str, Any]) -> Iterator[Cause]:
    if schema.get("nullable"):
        yield forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    if (version.get("subresources") or {}).get("status") is not None and schema.get("type") not in (
        "",
        None,
        "object",
    ):
        why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield invalid(f"{path}.type", schema["type"], why)
    yield from schema_problems(schema, path)


def _subresource_causes(version: Mapping[str, Any], path: str) -> Iterator[Cause]:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return
    for field, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        where, value = f"{path}.scale.{field}", scale.get(field)
        if not value:
            yield required(where)
        elif not value.startswith(root):
            yield invalid(where, value, f"should be a json path under {root.rstrip('.')}")
    selector = scale.get("labelSelectorPath")
    if selector and not selector.startswith((".spec.", ".status.")):
        yield invalid(
            f"{path}.scale.labelSelectorPath", selector, "should be a json path under either .spec or .status"
        )


def _selectable_causes(version: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    seen: list[str] = []
    for index, field in enumerate(version.get("selectableFields") or ()):
        where, wanted = f"{path}[{index}].jsonPath", field.get("jsonPath", "")
        if not wanted:
            yield required(where)
            continue
        found = _schema_at(wanted, schema)
        if found is None:
            yield invalid(where, wanted, "is an invalid path: does not refer to a valid field")
        elif found.get("type") not in ("string", "boolean", "integer"):
            why = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with formats "
                "are allowed."
            )
            yield invalid(where, wanted, why)
        if wanted in seen:
            yield duplicate(where, wanted)
        seen.append(wanted)
    if len(set(seen)) > SELECTABLE_FIELDS_MAX:
        message = f"Too many: {len(set(seen))}: must have at most {SELECTABLE_FIELDS_MAX} items"
        yield Cause(field=path, reason="FieldValueTooMany", message=message)


def _schema_at(path: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    node: Mapping[str, Any] | None = schema
    for step in path.removeprefix(".").split("."):
        node = None if node is None else (node.get("properties") or {}).get(step)
    return node


def _names_causes(names: CustomResourceDefinitionNames) -> Iterator[Cause]:
    for field, value in (
        ("plural", names.plural),
        ("singular", names.singular),
        ("kind", names.kind),
        ("listKind", names.list_kind),
    ):
        path, is_kind = f"spec.names.{field}", field.lower().endswith("kind")
        if not value:
            yield required(path)
        elif not _LABEL.fullmatch(value.lower() if is_kind else value):
            prefix = "may have mixed case, but should otherwise match: " if is_kind else ""
            yield invalid(path, value, prefix + _LABEL_RULE)
    for index, short in enumerate(names.short_names):
        if not _LABEL.fullmatch(short):
            yield invalid(f"spec.names.shortNames[{index}]", short, _LABEL_RULE)
    if names.kind and names.kind == names.list_kind:
        yield invalid("spec.names.listKind", names.list_kind, "kind and listKind may not be the same")


def _stored_causes(new: CustomResourceDefinition) -> Iterator[Cause]:
    stored, names = new.status.stored_versions, [version.name for version in new.spec.versions]
    for version in new.spec.versions:
        if version.storage and version.name not in stored:
            yield invalid("status.storedVersions", stored, f"must have the storage version {version.name}")
    for index, name in enumerate(stored):
        if name not in names:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until "
                f"a storage migration ensures no data remains persisted in {name} and removes {name} from "
                "status.storedVersions"
            )
            yield invalid(f"status.storedVersions[{index}]", name, why)


def _approval_causes(new: CustomResourceDefinition) -> Iterator[Cause]:
    group = new.spec.group
    is_protected = any(group == one or group.endswith(f".{one}") for one in ("k8s.io", "kubernetes.io"))
    if is_protected and not new.metadata.annotations.get(APPROVAL):
        why = (
            f'protected groups must have approval annotation "{APPROVAL}", see '
            "https://github.com/kubernetes/enhancements/pull/1111"
        )
        yield required(f"metadata.annotations[{APPROVAL}]", why)
