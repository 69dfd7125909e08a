"""What must hold of PersistentVolumes, claims, StorageClasses and VolumeAttachments.

Sources: pkg/apis/core/validation/validation.go, pkg/apis/storage/validation/validation.go. Called by validation.py.

Not modelled: rules of the sources of a volume (that there is exactly one is checked), data sources, allowed topologies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve

from chaoskube.models.objects.causes import Cause, forbidden, invalid, not_negative, required, unsupported
from chaoskube.models.objects.codec import encode
from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.objects.inside import difference
from chaoskube.models.objects.names import dns_subdomain, qualified_name
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.schema import properties_of
from chaoskube.models.objects.storage import (
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
    StorageClass,
    VolumeAttachment,
)
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_values import maybe_one_of, positive_quantity, unchanged

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_MODES: Final = ("Block", "Filesystem")
_CLAIM_CHANGEABLE: Final = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_NOTHING: Final = Quantity("0")


def check_claim(obj: PersistentVolumeClaim) -> Iterator[Cause]:
    """A PersistentVolumeClaim."""
    return check_claim_spec(obj.spec, "spec")


def check_claim_spec(spec: PersistentVolumeClaimSpec, path: str) -> Iterator[Cause]:
    """What a claim asks for; a StatefulSet has such specs, too."""
    if not spec.access_modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    if spec.selector is not None:
        yield from check_selector(spec.selector, f"{path}.selector")
    yield from _access_modes(spec.access_modes, f"{path}.accessModes")
    size = spec.resources.requests.get("storage")
    if size is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from positive_quantity(size, f"{path}.resources[storage]")
    if spec.storage_class_name:
        for message in dns_subdomain(spec.storage_class_name):
            yield invalid(f"{path}.storageClassName", spec.storage_class_name, message)
    yield from maybe_one_of(f"{path}.volumeMode", spec.volume_mode, _MODES)


def _access_modes(modes: tuple[str, ...], path: str) -> Iterator[Cause]:
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield unsupported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and any(
        mode in ACCESS_MODES and mode != "ReadWriteOncePod" for mode in modes
    ):
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def check_claim_update(old: PersistentVolumeClaim, new: PersistentVolumeClaim) -> Iterator[Cause]:
    """A claim may be bound once, and asked to grow once it is bound; its class may be filled in."""
    before, after = old.spec, new.spec
    kept = after
    if not before.volume_name:
        before = evolve(before, volume_name=after.volume_name)
    if before.storage_class_name is None and after.storage_class_name is not None:
        kept = evolve(kept, storage_class_name=None)
    is_bound = new.status.phase == "Bound"
    old_size = before.resources.requests.get("storage", _NOTHING)
    new_size = after.resources.requests.get("storage", _NOTHING)
    if is_bound and after.resources.requests:
        requests = after.resources.requests.plus({"storage": old_size})
        kept = evolve(kept, resources=evolve(after.resources, requests=requests))
    if is_bound:
        kept = evolve(kept, extra=_with_class_of(kept.extra, before.extra))
    if kept != before:
        yield forbidden("spec", f"{_CLAIM_CHANGEABLE}\n{difference(before, kept)}")
    if new_size.milli < old_size.milli:
        has = old.status.capacity.get("storage", _NOTHING)
        if new_size.milli <= has.milli:
            text = "field can not be less than status.capacity"
            yield forbidden("spec.resources.requests.storage", text)
    yield from unchanged("volumeMode", before.volume_mode, after.volume_mode)


def _with_class_of(extra: FrozenDict[str, Any], old: FrozenDict[str, Any]) -> FrozenDict[str, Any]:
    name = "volumeAttributesClassName"
    extra = extra.minus(name)
    return extra.plus({name: old[name]}) if name in old else extra


def check_volume(obj: PersistentVolume) -> Iterator[Cause]:
    """A PersistentVolume."""
    spec = obj.spec
    if not spec.access_modes:
        yield required("spec.accessModes")
    yield from _access_modes(spec.access_modes, "spec.accessModes")
    if not spec.capacity:
        yield required("spec.capacity")
    if list(spec.capacity) != ["storage"]:
        capacity = {name: size.canonical() for name, size in sorted(spec.capacity.items())} or None
        yield unsupported("spec.capacity", capacity, ("storage",))
    for name, size in sorted(spec.capacity.items()):
        if size.is_negative:
            yield invalid(f"spec.capacity[{name}]", size.canonical(), "must be a valid resource quantity")
        yield from positive_quantity(size, f"spec.capacity[{name}]")
    policy = spec.persistent_volume_reclaim_policy
    yield from maybe_one_of("spec.persistentVolumeReclaimPolicy", policy, ("Delete", "Recycle", "Retain"))
    if not _sources(spec):
        yield required("spec", "must specify a volume type")
    elif len(_sources(spec)) > 1:
        yield forbidden(f"spec.{_sources(spec)[1]}", "may not specify more than 1 volume type")
    if spec.storage_class_name:
        for message in dns_subdomain(spec.storage_class_name):
            yield invalid("spec.storageClassName", spec.storage_class_name, message)
    yield from maybe_one_of("spec.volumeMode", spec.volume_mode, _MODES)


_NO_SOURCES: Final = ("volumeAttributesClassName",)


def _sources(spec: PersistentVolumeSpec) -> list[str]:
    known = properties_of("io.k8s.api.core.v1.PersistentVolumeSpec")
    return [name for name in spec.extra if name in known and name not in _NO_SOURCES]


def check_volume_update(old: PersistentVolume, new: PersistentVolume) -> Iterator[Cause]:
    """Where the storage is stays."""
    before = {name: old.spec.extra[name] for name in _sources(old.spec)}
    after = {name: new.spec.extra[name] for name in _sources(new.spec)}
    if before != after:
        yield forbidden(
            "spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"
        )
    yield from unchanged("volumeMode", old.spec.volume_mode, new.spec.volume_mode)


def check_storage_class(obj: StorageClass) -> Iterator[Cause]:
    """A StorageClass."""
    if not obj.provisioner:
        yield required("provisioner")
    else:
        for message in qualified_name(obj.provisioner.lower()):
            yield invalid("provisioner", obj.provisioner.lower(), message)
    for key in obj.parameters:
        if not key:
            yield invalid("parameters", key, "field can not be empty.")
    yield from maybe_one_of("reclaimPolicy", obj.reclaim_policy, ("Delete", "Retain"))
    if obj.volume_binding_mode is None:
        yield required("volumeBindingMode")
    yield from maybe_one_of(
        "volumeBindingMode", obj.volume_binding_mode, ("Immediate", "WaitForFirstConsumer")
    )


def check_storage_class_update(old: StorageClass, new: StorageClass) -> Iterator[Cause]:
    """How its volumes are made stays."""
    yield from unchanged("parameters", old.parameters, new.parameters)
    yield from unchanged("provisioner", old.provisioner, new.provisioner)
    yield from unchanged("reclaimPolicy", old.reclaim_policy, new.reclaim_policy)
    yield from unchanged("volumeBindingMode", old.volume_binding_mode, new.volume_binding_mode)


def check_attachment(obj: VolumeAttachment) -> Iterator[Cause]:
    """A VolumeAttachment."""
    if not obj.spec.attacher:
        yield required("spec.attacher")
    source = obj.spec.source
    has_inline = "inlineVolumeSpec" in source.extra
    if has_inline == (source.persistent_volume_name is not None):
        text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        yield forbidden("spec.source", text) if has_inline else required("spec.source", text)
    elif source.persistent_volume_name == "":
        yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
    for message in dns_subdomain(obj.spec.node_name):
        yield invalid("spec.nodeName", obj.spec.node_name, message)
    for name, error in (("attachError", obj.status.attach_error), ("detachError", obj.status.detach_error)):
        if error is not None:
            yield from not_negative(f"status.{name}.errorCode", error.error_code)


def check_attachment_update(old: VolumeAttachment, new: VolumeAttachment) -> Iterator[Cause]:
    """What is attached where stays."""
    if old.spec != new.spec:
        yield invalid("spec", encode(new.spec), "field is immutable")
