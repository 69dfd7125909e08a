"""The finalize subresource of namespaces (pkg/registry/core/namespace)."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from chaoskube.models.apiserver.finalize import is_removable
from chaoskube.models.objects import Namespace, NamespaceSpec, ObjectMeta


def _finalize(api: Any, namespace: Namespace, *finalizers: str) -> Any:
    body = evolve(namespace, spec=NamespaceSpec(finalizers=finalizers))
    return api.do("update", "namespaces", namespace.name, subresource="finalize", body=body)


def test_a_namespace_goes_with_its_last_finalizer_if_it_was_told_to(api: Any) -> None:
    """In one write: no watch shows it without finalizers."""
    made = api.create(Namespace(metadata=ObjectMeta(name="shop")))
    stream = api.watch("namespaces", namespace="", resource_version=made.resource_version)
    going = api.do("delete", "namespaces", "shop")
    _finalize(api, going)

    assert api.do("get", "namespaces", "shop").code == 404
    assert stream.seen() == [("MODIFIED", "shop"), ("DELETED", "shop")]


def test_one_that_stays_only_loses_its_finalizer(api: Any) -> None:
    """And one of metadata's keeps it, until it is taken off as from everything else."""
    made = api.create(Namespace(metadata=ObjectMeta(name="shop", finalizers=("example.com/hold",))))
    assert _finalize(api, made).spec.finalizers == ()
    going = api.do("delete", "namespaces", "shop")
    assert going.metadata.deletion_timestamp is not None and not is_removable(going)
    api.do("patch", "namespaces", "shop", patch_type="merge", body={"metadata": {"finalizers": None}})

    assert api.do("get", "namespaces", "shop").code == 404


def test_metadatas_last_finalizer_does_not_free_a_namespace_that_is_not_empty(api: Any) -> None:
    """spec.finalizers says `kubernetes` until the controller has emptied it."""
    api.create(Namespace(metadata=ObjectMeta(name="shop", finalizers=("example.com/hold",))))
    api.do("delete", "namespaces", "shop")
    api.do("patch", "namespaces", "shop", patch_type="merge", body={"metadata": {"finalizers": None}})

    assert api.do("get", "namespaces", "shop").spec.finalizers == ("kubernetes",)


def test_a_finalize_that_comes_too_late_is_refused(api: Any) -> None:
    """Another version, or a namespace made anew under the name."""
    made = api.create(Namespace(metadata=ObjectMeta(name="shop")))
    api.do("patch", "namespaces", "shop", patch_type="merge", body={"metadata": {"labels": {"a": "b"}}})

    assert _finalize(api, made).code == 409
    other = evolve(made, metadata=evolve(made.metadata, uid="another", resource_version=""))
    assert _finalize(api, other).code == 404
    assert api.do("update", "pods", "p", subresource="finalize", body=made).code == 405
