"""What must hold of metadata, labels and selectors of every kind.

Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go, pkg/apis/meta/v1/validation/validation.go,
pkg/apis/core/validation/validation.go (ValidateObjectMeta).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from chaoskube.models.objects.causes import Cause, forbidden, go_text, invalid, not_negative, required
from chaoskube.models.objects.meta import LabelSelector, ObjectMeta, OwnerReference
from chaoskube.models.objects.names import dns_label, label_value, qualified_name
from chaoskube.models.objects.times import time_text

_STANDARD_FINALIZERS: Final = ("foregroundDeletion", "kubernetes", "orphan")
_ANNOTATIONS_BYTES_MAX: Final = 256 * 1024


def check_meta(
    meta: ObjectMeta, *, namespaced: bool, name_rule: Callable[[str], list[str]]
) -> Iterator[Cause]:
    """Names, namespace, labels, annotations, owners, finalizers."""
    if meta.generate_name:
        base = meta.generate_name[:-1] + "a" if meta.generate_name.endswith("-") else meta.generate_name
        for message in name_rule(base):
            yield invalid("metadata.generateName", meta.generate_name, message)
    if not meta.name:
        yield required("metadata.name", "name or generateName is required")
    else:
        for message in name_rule(meta.name):
            yield invalid("metadata.name", meta.name, message)
    if namespaced:
        if not meta.namespace:
            yield required("metadata.namespace")
        else:
            for message in dns_label(meta.namespace):
                yield invalid("metadata.namespace", meta.namespace, message)
    elif meta.namespace:
        yield forbidden("metadata.namespace", "not allowed on this type")
    yield from not_negative("metadata.generation", meta.generation)
    yield from check_common_meta(meta)
    if meta.finalizers:
        yield from _check_finalizers(meta.finalizers)


def check_common_meta(meta: ObjectMeta) -> Iterator[Cause]:
    """Labels, annotations and owners, which are looked at again when an object changes."""
    yield from check_labels(meta.labels, "metadata.labels")
    yield from check_annotations(meta.annotations, "metadata.annotations")
    yield from _check_owners(meta.owner_references)


def check_standard_finalizers(meta: ObjectMeta) -> Iterator[Cause]:
    """Kubernetes' own kinds take no finalizer without a domain but the known ones. (core/validation/validation.go)"""
    for position, finalizer in enumerate(meta.finalizers):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(f"metadata.finalizers[{position}]", finalizer, text)


def check_meta_update(old: ObjectMeta, new: ObjectMeta) -> Iterator[Cause]:
    """What may not change, and what may only go once an object is being deleted."""
    if old.deletion_timestamp is not None:
        added = sorted({name for name in new.finalizers if name not in old.finalizers})
        if added:
            listed = ", ".join(go_text(name) for name in added)
            text = "no new finalizers can be added if the object is being deleted, found new finalizers"
            yield forbidden("metadata.finalizers", f"{text} []string{{{listed}}}")
    for field, before, after in (
        ("name", old.name, new.name),
        ("namespace", old.namespace, new.namespace),
        ("uid", old.uid, new.uid),
        ("deletionTimestamp", old.deletion_timestamp, new.deletion_timestamp),
        ("deletionGracePeriodSeconds", old.deletion_grace_period_seconds, new.deletion_grace_period_seconds),
    ):
        if before != after:
            shown = time_text(after) if field == "deletionTimestamp" and isinstance(after, int) else after
            yield invalid(f"metadata.{field}", shown, "field is immutable")


def check_labels(labels: Mapping[str, str], path: str) -> Iterator[Cause]:
    """Keys and values of labels."""
    for key, value in sorted(labels.items()):
        for message in qualified_name(key):
            yield invalid(path, key, message)
        for message in label_value(value):
            yield invalid(path, value, message)


def check_annotations(annotations: Mapping[str, str], path: str) -> Iterator[Cause]:
    """Keys of annotations, and their size."""
    for key in sorted(annotations):
        for message in qualified_name(key.lower()):
            yield invalid(path, key, message)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_BYTES_MAX:
        message = f"Too long: may not be more than {_ANNOTATIONS_BYTES_MAX} bytes"
        yield Cause(field=path, reason="FieldValueTooLong", message=message)


def check_selector(selector: LabelSelector, path: str) -> Iterator[Cause]:
    """Operators, their values, keys."""
    yield from check_labels(selector.match_labels, f"{path}.matchLabels")
    for position, expression in enumerate(selector.match_expressions):
        where = f"{path}.matchExpressions[{position}]"
        if expression.operator in ("In", "NotIn"):
            if not expression.values:
                yield required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif expression.operator in ("Exists", "DoesNotExist"):
            if expression.values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{where}.values", text)
        else:
            yield invalid(f"{where}.operator", expression.operator, "not a valid selector operator")
        for message in qualified_name(expression.key):
            yield invalid(f"{where}.key", expression.key, message)
        for number, value in enumerate(expression.values):
            for message in label_value(value):
                yield invalid(f"{where}.values[{number}]", value, message)


def _check_owners(owners: tuple[OwnerReference, ...]) -> Iterator[Cause]:
    path = "metadata.ownerReferences"
    controller = ""
    for owner in owners:
        if not owner.api_version:
            yield invalid(f"{path}.apiVersion", owner.api_version, "version must not be empty")
        for field, value in (("kind", owner.kind), ("name", owner.name), ("uid", owner.uid)):
            if not value:
                yield invalid(f"{path}.{field}", value, "must not be empty")
        if (owner.api_version, owner.kind) == ("v1", "Event"):
            yield invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")
        if owner.controller:
            this = f"{owner.kind}/{owner.name}"
            if controller:
                text = 'Only one reference can have Controller set to true. Found "true" in references for'
                yield invalid(path, owners, f"{text} {controller} and {this}")
            else:
                controller = this


def _check_finalizers(finalizers: tuple[str, ...]) -> Iterator[Cause]:
    path = "metadata.finalizers"
    for finalizer in finalizers:
        for message in qualified_name(finalizer):
            yield invalid(path, finalizer, message)
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")
