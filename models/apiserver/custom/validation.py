"""Whether a custom object may be stored: metadata, schema, replicas for scale, lists, and then the schema's rules. Pure.

The rules (x-kubernetes-validations) are asked only when the shape is right, since they rely on it; that they were not asked is
said. An update may keep what was wrong already. A write of the status is judged by the schema of `status` alone.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/{strategy,status_strategy,validator}.go.

Called by `writes.py` and `subresources.py` for every object; for built-in kinds it asks `objects.validation`.
Not modelled: warnings about finalizers' names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.apiserver.custom.definitions import definition_causes, definition_update_causes
from chaoskube.models.apiserver.custom.objects import version_of
from chaoskube.models.apiserver.custom.scale import replicas_causes
from chaoskube.models.objects import CustomResourceDefinition, KubeObject, encode
from chaoskube.models.objects.causes import Cause, invalid
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.structural import broken_rules, validate
from chaoskube.models.objects.structural.lists import embedded_problems, repeated_items
from chaoskube.models.objects.structural.validation import ABSENT, NOWHERE
from chaoskube.models.objects.validation import validate_create, validate_update

BLOCKING = (
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
)
UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)


def causes_of_create(new: KubeObject, resource: Resource) -> tuple[Cause, ...]:
    """Why this object may not be created; nothing: it may."""
    causes = validate_create(new)
    if isinstance(new, CustomResourceDefinition):
        return (*causes, *definition_causes(new))
    if resource.custom is None:
        return causes
    tree, schema = encode(new), resource.custom.schema
    found = [
        *_kind_causes(new, resource),
        *causes,
        *validate(tree, schema),
        *replicas_causes(tree, resource),
        *embedded_problems(tree, schema),
        *repeated_items(tree, schema),
    ]
    return _with_rules(found, tree, schema, ABSENT)


def causes_of_update(
    old: KubeObject, new: KubeObject, resource: Resource, *, subresource: str = ""
) -> tuple[Cause, ...]:
    """Why `old` may not become `new`."""
    causes = validate_update(old, new, subresource=subresource)
    if isinstance(new, CustomResourceDefinition) and not subresource:
        assert isinstance(old, CustomResourceDefinition), f"a definition becomes one, not {old.kind}"
        return (*causes, *definition_update_causes(old, new))
    if resource.custom is None:
        return causes
    tree, before, schema = encode(new), encode(old), version_of(resource).schema
    found = [*_kind_causes(new, resource), *causes]
    if subresource == "status":
        found += _status_causes(tree, before, schema)
        found += replicas_causes(tree, resource, only_status=True)
    else:
        found += validate(tree, schema, old=before)
        found += replicas_causes(tree, resource)
        found += embedded_problems(tree, schema)
    if not repeated_items(before, schema):
        found += repeated_items(tree, schema)
    return _with_rules(found, tree, schema, before)


def _kind_causes(new: KubeObject, resource: Resource) -> list[Cause]:
    if new.kind == resource.kind:
        return []
    return [invalid("kind", new.kind, f"must be {resource.kind}")]


def _status_causes(
    tree: Mapping[str, Any], before: Mapping[str, Any], schema: Mapping[str, Any]
) -> list[Cause]:
    inner = (schema.get("properties") or {}).get("status")
    if inner is None or "status" not in tree:
        return []
    return list(validate(tree["status"], inner, old=before.get("status", ABSENT), where="status"))


def _with_rules(
    found: list[Cause], tree: Mapping[str, Any], schema: Mapping[str, Any], before: object
) -> tuple[Cause, ...]:
    if not _has_rules(schema):
        return tuple(found)
    if any(cause.reason in BLOCKING for cause in found):
        return (*found, invalid(NOWHERE, None, UNCHECKED))
    return (*found, *broken_rules(tree, schema, old=before).broken)


def _has_rules(schema: object) -> bool:
    """Whether there is a rule anywhere in a schema."""
    if isinstance(schema, Mapping):
        return bool(schema.get("x-kubernetes-validations")) or any(
            _has_rules(each) for each in schema.values()
        )
    return isinstance(schema, (list, tuple)) and any(_has_rules(each) for each in schema)
