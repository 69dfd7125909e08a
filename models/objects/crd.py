"""CustomResourceDefinitions.

Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/types.go.

Not modelled: printer columns and selectable fields (carried in `extra`).
"""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict, freeze
from chaoskube.models.objects.meta import KubeObject

_HOLD_SCHEMAS: Final = ("properties", "patternProperties", "definitions", "allOf", "anyOf", "oneOf")
_ARE_SCHEMAS: Final = ("openAPIV3Schema", "items", "not", "additionalProperties", "additionalItems")


@frozen(kw_only=True)
class CustomResourceDefinitionNames:
    """What the resource and its kind are called."""

    plural: str = field(default="", metadata=WRITTEN)
    singular: str | None = None
    short_names: tuple[str, ...] = ()
    kind: str = field(default="", metadata=WRITTEN)
    list_kind: str | None = None
    categories: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceSubresourceScale:
    """Where replicas and their selector stand in a custom object."""

    spec_replicas_path: str = field(default="", metadata=WRITTEN)
    status_replicas_path: str = field(default="", metadata=WRITTEN)
    label_selector_path: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceSubresources:
    """Which subresources there are; an empty `status` means that there is one."""

    status: FrozenDict[str, Any] | None = None
    scale: CustomResourceSubresourceScale | None = None
    extra: FrozenDict[str, Any] = EMPTY


def _with_empty_schemas(tree: FrozenDict[str, Any] | None) -> FrozenDict[str, Any] | None:
    """A null where a map or a list has a schema is an empty one, as Go decodes it."""
    if not isinstance(tree, FrozenDict):
        return tree
    changed: dict[str, Any] = {}
    for key in _HOLD_SCHEMAS:
        held = tree.get(key)
        if isinstance(held, FrozenDict):
            changed[key] = freeze({name: _schema_or_empty(one) for name, one in held.items()})
        elif isinstance(held, tuple):
            changed[key] = tuple([_schema_or_empty(one) for one in held])
    for key in _ARE_SCHEMAS:
        if isinstance(held := tree.get(key), FrozenDict):
            changed[key] = _with_empty_schemas(held)
    return tree.plus({key: value for key, value in changed.items() if value != tree[key]})


def _schema_or_empty(schema: object) -> object:
    return (
        _with_empty_schemas(schema) if isinstance(schema, FrozenDict) else EMPTY if schema is None else schema
    )


@frozen(kw_only=True)
class CustomResourceDefinitionVersion:
    """One version: whether it is served, whether it is the stored one, its schema."""

    name: str = field(default="", metadata=WRITTEN)
    served: bool = field(default=False, metadata=WRITTEN)
    storage: bool = field(default=False, metadata=WRITTEN)
    deprecated: bool = False
    deprecation_warning: str | None = field(default=None, metadata=POINTER)
    schema: FrozenDict[str, Any] | None = field(default=None, converter=_with_empty_schemas)
    subresources: CustomResourceSubresources | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceConversion:
    """How one version becomes another: None or Webhook."""

    strategy: str = field(default="", metadata=WRITTEN)
    webhook: FrozenDict[str, Any] | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceDefinitionSpec:
    """The group, names, scope and versions of a resource."""

    group: str = field(default="", metadata=WRITTEN)
    names: CustomResourceDefinitionNames = field(default=CustomResourceDefinitionNames(), metadata=WRITTEN)
    scope: str = field(default="", metadata=WRITTEN)
    versions: tuple[CustomResourceDefinitionVersion, ...] = field(default=(), metadata=WRITTEN)
    conversion: CustomResourceConversion | None = None
    preserve_unknown_fields: bool = False
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceDefinitionCondition:
    """One condition of a definition (NamesAccepted, Established, ...)."""

    type: str = field(default="", metadata=WRITTEN)
    status: str = field(default="", metadata=WRITTEN)
    last_transition_time: Time | None = None
    reason: str | None = None
    message: str | None = None
    observed_generation: int = 0
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceDefinitionStatus:
    """Which names it got, and which versions were ever stored."""

    conditions: tuple[CustomResourceDefinitionCondition, ...] = field(default=(), metadata=WRITTEN)
    accepted_names: CustomResourceDefinitionNames = field(
        default=CustomResourceDefinitionNames(), metadata=WRITTEN
    )
    stored_versions: tuple[str, ...] = field(default=(), metadata=WRITTEN)
    observed_generation: int = 0
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class CustomResourceDefinition(KubeObject):
    """A resource that a user adds to the API."""

    api_version: str = "apiextensions.k8s.io/v1"
    kind: str = "CustomResourceDefinition"
    spec: CustomResourceDefinitionSpec = field(default=CustomResourceDefinitionSpec(), metadata=WRITTEN)
    status: CustomResourceDefinitionStatus = field(default=CustomResourceDefinitionStatus())
