"""Where objects are stored in etcd. Source: pkg/kubeapiserver/default_storage_factory_builder.go."""

from __future__ import annotations

from chaoskube.models.objects.resources import Resource


def prefix_of(resource: Resource, namespace: str = "") -> str:
    """The prefix of all keys of a resource, or of those in one namespace."""
    root = f"/registry/{resource.storage_prefix or resource.plural}/"
    return f"{root}{namespace}/" if resource.namespaced and namespace else root


def key_of(resource: Resource, namespace: str, name: str) -> str:
    """The key of one object."""
    return prefix_of(resource, namespace) + name


UNCACHED = ("events", "events.events.k8s.io")
"""Resources of which API servers keep no copy: they are read from etcd each time."""


def is_cached(resource: Resource) -> bool:
    """Whether API servers keep a copy of it."""
    return resource.name not in UNCACHED
