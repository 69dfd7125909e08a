"""StorageObjectInUseProtection: a finalizer for new claims and volumes, so that none goes while it is used.

The controllers that take the finalizers away again are `pvc-protection` and `pv-protection`.
Source: plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go.

Not modelled: volume attributes classes.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.admission.attributes import CREATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin
from chaoskube.models.apiserver.flow import Context, Flow

FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}


class StorageObjectInUseProtection(Plugin):
    """Puts the finalizer on."""

    name = "StorageObjectInUseProtection"

    def admits(self, target: Target) -> bool:
        """New claims and volumes."""
        return target.operation == CREATE and not target.subresource and target.resource in FINALIZERS

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The object with its finalizer, once."""
        yield from ()
        obj = attributes.obj
        assert obj is not None, "what is created is an object"
        finalizer = FINALIZERS[attributes.resource.name]
        metadata = obj.metadata
        if finalizer in metadata.finalizers:
            return attributes
        return attributes.with_object(
            evolve(obj, metadata=evolve(metadata, finalizers=(*metadata.finalizers, finalizer)))
        )
