"""What every object has: metadata, owners, selectors, and the class of kinds that aren't modelled.

Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go.

`KubeObject` is the base of all kinds; `GenericObject` carries a kind the simulation knows by its OpenAPI only.
Objects are shared by everybody and never change; see change.py for making the next version of one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Final

from attrs import evolve, field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.managed.managers import Managers


@frozen(kw_only=True)
class OwnerReference:
    """Who owns an object; at most one owner is its controller."""

    SHARED: ClassVar[bool] = True
    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None
    block_owner_deletion: bool | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ObjectMeta:
    """metadata of an object; `resource_version` is "" when unset."""

    name: str = ""
    generate_name: str | None = None
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: int | None = None
    labels: FrozenDict[str, str] = EMPTY
    annotations: FrozenDict[str, str] = EMPTY
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()
    managed_fields: Managers | None = None
    extra: FrozenDict[str, Any] = EMPTY

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages this object, if it has one."""
        for owner in self.owner_references:
            if owner.controller:
                return owner
        return None


@frozen(kw_only=True)
class LabelSelectorRequirement:
    """One expression of a selector: In, NotIn, Exists, DoesNotExist."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class LabelSelector:
    """Labels that must match; an empty one matches everything."""

    match_labels: FrozenDict[str, str] = EMPTY
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StandardCondition:
    """metav1.Condition, the shape that newer kinds share."""

    type: str = field(default="", metadata=WRITTEN)
    status: str = field(default="", metadata=WRITTEN)
    observed_generation: int = 0
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str = field(default="", metadata=WRITTEN)
    message: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class LocalObjectReference:
    """An object of the same namespace, by its name."""

    name: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class TypedLocalObjectReference:
    """An object of the same namespace, of any kind."""

    api_group: str | None = field(default=None, metadata=POINTER)
    kind: str = field(default="", metadata=WRITTEN)
    name: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class KubeObject:
    """The base of all kinds."""

    api_version: str
    kind: str
    metadata: ObjectMeta = field(default=ObjectMeta())
    extra: FrozenDict[str, Any] = EMPTY
    _digest: str = field(default="", init=False, eq=False, repr=False)

    @property
    def namespace(self) -> str:
        """metadata.namespace, "" when the object has none."""
        return self.metadata.namespace

    @property
    def name(self) -> str:
        """metadata.name."""
        return self.metadata.name

    @property
    def uid(self) -> str:
        """metadata.uid, "" before the object was stored."""
        return self.metadata.uid

    @property
    def resource_version(self) -> str:
        """metadata.resourceVersion, "" before the object was stored."""
        return self.metadata.resource_version

    @property
    def labels(self) -> FrozenDict[str, str]:
        """metadata.labels, empty when there are none."""
        return self.metadata.labels

    @property
    def key(self) -> str:
        """namespace/name, or the name alone, as informers and queues know the object."""
        namespace = self.metadata.namespace
        return f"{namespace}/{self.metadata.name}" if namespace else self.metadata.name

    def digest_text(self) -> str:
        """Kind/namespace/name:version#content: what a journal hashes in place of the whole object."""
        if not self._digest:
            object.__setattr__(self, "_digest", _digest_text(self))
        return self._digest


@frozen(kw_only=True)
class GenericObject(KubeObject):
    """A kind that is stored, listed and watched, but that nothing in the simulation acts on.

    `content` is the whole object but for apiVersion, kind and metadata.
    """

    content: FrozenDict[str, Any] = EMPTY


_as_json: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _digest_text(obj: KubeObject) -> str:
    from chaoskube.models.objects.codec import (
        encode,  # the codec stands on the classes; asked at the first digest only
    )

    if (
        obj.metadata.managed_fields is not None
    ):  # they follow from the writes; working them out costs more than one
        obj = evolve(obj, metadata=evolve(obj.metadata, managed_fields=None))
    content = hashlib.blake2b(_as_json(encode(obj)).encode(), digest_size=6).hexdigest()
    return f"{obj.kind}/{obj.key}:{obj.metadata.resource_version}#{content}"
