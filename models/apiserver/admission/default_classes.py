"""DefaultStorageClass and DefaultIngressClass: claims and ingresses that name no class get the default one.

Of several defaults the newest counts, then the first by name; it is looked for in this server's cache alone.
Sources: plugin/pkg/admission/storage/storageclass/setdefault/admission.go, pkg/volume/util/storageclass.go
(GetDefaultClass), plugin/pkg/admission/network/defaultingressclass/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from chaoskube.models.apiserver.admission.attributes import CREATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.objects import Ingress, KubeObject, PersistentVolumeClaim

STORAGE_DEFAULTS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
STORAGE_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
INGRESS_DEFAULTS = ("ingressclass.kubernetes.io/is-default-class",)
INGRESS_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


class DefaultStorageClass(Plugin):
    """Gives claims the default storage class."""

    name = "DefaultStorageClass"

    def admits(self, target: Target) -> bool:
        """New claims."""
        return target.is_on("persistentvolumeclaims", CREATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The claim with its class."""
        claim = attributes.obj
        assert isinstance(claim, PersistentVolumeClaim), f"{claim!r} is no claim"
        if claim.spec.storage_class_name is not None:
            return attributes
        if STORAGE_CLASS_ANNOTATION in claim.metadata.annotations:
            return attributes
        cache = yield from synced(ctx, attributes, "storageclasses")
        found = default_of([obj for _, obj in cache.select("/registry/storageclasses/")], STORAGE_DEFAULTS)
        if found is None:
            return attributes
        return attributes.with_object(evolve(claim, spec=evolve(claim.spec, storage_class_name=found.name)))


class DefaultIngressClass(Plugin):
    """Gives ingresses the default ingress class."""

    name = "DefaultIngressClass"

    def admits(self, target: Target) -> bool:
        """New ingresses."""
        return target.is_on("ingresses", CREATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The ingress with its class."""
        ingress = attributes.obj
        assert isinstance(ingress, Ingress), f"{ingress!r} is no ingress"
        if ingress.spec.ingress_class_name is not None:
            return attributes
        if INGRESS_CLASS_ANNOTATION in ingress.metadata.annotations:
            return attributes
        cache = yield from synced(ctx, attributes, "ingressclasses")
        found = default_of([obj for _, obj in cache.select("/registry/ingressclasses/")], INGRESS_DEFAULTS)
        if found is None:
            return attributes
        return attributes.with_object(
            evolve(ingress, spec=evolve(ingress.spec, ingress_class_name=found.name))
        )


def default_of(classes: Iterable[KubeObject], annotations: tuple[str, ...]) -> KubeObject | None:
    """The class that says it is the default: the newest, then the first by name."""
    marked = [
        one for one in classes if any(one.metadata.annotations.get(name) == "true" for name in annotations)
    ]
    return min(marked, key=lambda one: (-(one.metadata.creation_timestamp or 0), one.name), default=None)
