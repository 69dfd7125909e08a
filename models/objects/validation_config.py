"""What must hold of ConfigMaps, Secrets, Leases and Nodes.

Sources: pkg/apis/core/validation/validation.go, pkg/apis/coordination/validation/validation.go. Called by validation.py.

Not modelled: that credentials of a registry are JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chaoskube.models.objects.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_negative,
    required,
    too_long,
    unsupported,
)
from chaoskube.models.objects.config import ConfigMap, Secret
from chaoskube.models.objects.lease import Lease
from chaoskube.models.objects.names import config_key
from chaoskube.models.objects.node import Node
from chaoskube.models.objects.validation_meta import check_labels
from chaoskube.models.objects.validation_values import unchanged

_CONFIG_BYTES_MAX: Final = 1024 * 1024
_FROZEN: Final = "field is immutable when `immutable` is set"
_WANTED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"


def check_config_map(obj: ConfigMap) -> Iterator[Cause]:
    """A ConfigMap."""
    for field, data, other, others in (
        ("data", obj.data, "binaryData", obj.binary_data),
        ("binaryData", obj.binary_data, "data", obj.data),
    ):
        for key in sorted(data):
            for message in config_key(key):
                yield invalid(f"{field}[{key}]", key, message)
            if key in others:
                yield invalid(f"{field}[{key}]", key, f"duplicate of key present in {other}")
    size = sum(len(value.encode()) for value in obj.data.values())
    size += sum(len(value) * 3 // 4 for value in obj.binary_data.values())
    if size > _CONFIG_BYTES_MAX:
        yield too_long("[]", _CONFIG_BYTES_MAX)


def check_config_map_update(old: ConfigMap, new: ConfigMap) -> Iterator[Cause]:
    """One that is immutable stays as it is."""
    if old.immutable:
        if not new.immutable:
            yield forbidden("immutable", _FROZEN)
        if old.data != new.data:
            yield forbidden("data", _FROZEN)
        if old.binary_data != new.binary_data:
            yield forbidden("binaryData", _FROZEN)


def check_secret(obj: Secret) -> Iterator[Cause]:
    """A Secret: its keys, its size, and what its type wants."""
    for key in sorted(obj.data):
        for message in config_key(key):
            yield invalid(f"data[{key}]", key, message)
    if sum(len(value) * 3 // 4 for value in obj.data.values()) > _CONFIG_BYTES_MAX:
        yield too_long("data", _CONFIG_BYTES_MAX)
    if obj.type == "kubernetes.io/service-account-token":
        if not obj.metadata.annotations.get(_ACCOUNT_NAME):
            yield required(f"metadata.annotations[{_ACCOUNT_NAME}]")
    elif obj.type == "kubernetes.io/basic-auth" and not {"username", "password"} & set(obj.data):
        yield required("data[username]")
        yield required("data[password]")
    for key in _WANTED_KEYS.get(obj.type or "", ()):
        if not obj.data.get(key) if key == "ssh-privatekey" else key not in obj.data:
            yield required(f"data[{key}]")


def check_secret_update(old: Secret, new: Secret) -> Iterator[Cause]:
    """The type stays; one that is immutable stays as it is."""
    yield from unchanged("type", old.type, new.type)
    if old.immutable:
        if not new.immutable:
            yield forbidden("immutable", _FROZEN)
        if old.data != new.data:
            yield forbidden("data", _FROZEN)


def check_lease(obj: Lease) -> Iterator[Cause]:
    """A Lease."""
    duration = obj.spec.lease_duration_seconds
    if duration is not None and duration <= 0:
        yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", obj.spec.lease_transitions)


def check_node(obj: Node) -> Iterator[Cause]:
    """A Node."""
    seen: list[tuple[str, str]] = []
    for position, taint in enumerate(obj.spec.taints):
        path = f"spec.taints[{position}]"
        yield from check_labels({taint.key: taint.value or ""}, f"{path}.key")
        if taint.effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            yield unsupported(f"{path}.effect", taint.effect, ("NoSchedule", "PreferNoSchedule", "NoExecute"))
        if (taint.key, taint.effect) in seen:
            yield duplicate(path, taint)
        seen.append((taint.key, taint.effect))
