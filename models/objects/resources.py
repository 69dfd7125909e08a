"""The catalogue of resources: what the API calls a kind, where it is stored, what can be asked of it.

The built-in ones are a table (resources.json, made by schema_build.py from the discovery documents of a real 1.36).
Custom ones come from CustomResourceDefinitions: `custom_resources` makes them, and a `Resources` holds them beside the
built-in ones. Each API server has a `Resources` of its own, which follows its own cache of definitions, and so may be
behind another's. A client has one, too, where it needs to go from a custom kind to its resource.

A resource is asked for as `pods`, `events.events.k8s.io` or `databases.v1.example.com` (version and group); `name` is the
shortest of these that always means the same one, and what caches and streams are named by.

Sources: pkg/controlplane/instance.go, pkg/registry/*/rest/storage_*.go, as served by /api and /apis of 1.36;
staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_{discovery_controller,handler}.go,
staging/src/k8s.io/apimachinery/pkg/version/helpers.go (which of several versions is preferred).

Called by the API server's paths and storage, and by clients that go from a kind to its resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from attrs import Factory, field, frozen

from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.sim import UsageError

CUSTOM_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@frozen(kw_only=True)
class CustomVersion:
    """What a definition says of one version of its resource, beyond what every resource has."""

    definition: str
    """The name of the CustomResourceDefinition: PLURAL.GROUP."""
    stored_as: str
    """The apiVersion that objects have in etcd."""
    list_kind: str
    schema: FrozenDict[str, Any] = EMPTY
    """openAPIV3Schema of this version."""
    spec_replicas_path: str = ""
    """Where scale finds what is wanted, such as `.spec.replicas`; "" without a scale subresource."""
    status_replicas_path: str = ""
    label_selector_path: str = ""
    selectable_fields: tuple[str, ...] = ()
    preserve_unknown_fields: bool = False


@frozen(kw_only=True)
class Resource:
    """One resource of the API."""

    plural: str
    kind: str
    api_version: str
    namespaced: bool
    graceful: bool = False
    has_status: bool = False
    has_scale: bool = False
    storage_prefix: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    custom: CustomVersion | None = None
    """None for a built-in resource."""
    name: str = field(default=Factory(lambda self: self.plural, takes_self=True))
    """What requests and caches call it."""

    @property
    def group(self) -> str:
        """The API group, "" for core."""
        return self.api_version.rpartition("/")[0]

    @property
    def list_kind(self) -> str:
        """The kind of a list of them."""
        return self.custom.list_kind if self.custom is not None else f"{self.kind}List"


class Resources:
    """The resources that one server serves, or one client knows of: all built-in ones, and custom ones as they come."""

    def __init__(self, custom: Iterable[Resource] = ()) -> None:
        self._custom: dict[str, tuple[Resource, ...]] = {}
        self._by_name: dict[str, Resource] = {}
        for resource in custom:
            assert resource.custom is not None, f"{resource.name} is a built-in resource"
            known = self._custom.get(resource.custom.definition, ())
            self.put(resource.custom.definition, (*known, resource))

    def put(self, definition: str, resources: tuple[Resource, ...]) -> None:
        """From now on the definition of that name means these; none of them: it is gone."""
        if resources:
            self._custom[definition] = resources
        else:
            self._custom.pop(definition, None)
        self._by_name = {}
        for one in self.custom():
            version = one.api_version.rpartition("/")[2]
            for name in (f"{one.plural}.{version}.{one.group}", f"{one.plural}.{one.group}", one.plural):
                self._by_name.setdefault(name, one)

    def replace(self, other: Resources) -> None:
        """From now on know what `other` knows."""
        self._custom, self._by_name = dict(other._custom), dict(other._by_name)

    def of_definition(self, definition: str) -> tuple[Resource, ...]:
        """The resources that the definition of that name stands for now; () when it isn't served."""
        return self._custom.get(definition, ())

    def custom(self) -> tuple[Resource, ...]:
        """The custom ones, by the names of their definitions; of one definition the preferred version first."""
        return tuple([one for name in sorted(self._custom) for one in self._custom[name]])

    def all(self) -> tuple[Resource, ...]:
        """Every resource."""
        return (*resources(), *self.custom()) if self._custom else resources()

    def at(self, api_version: str) -> tuple[Resource, ...]:
        """The resources of one group and version; () when it isn't served."""
        return tuple([one for one in self.all() if one.api_version == api_version])

    def knows(self, name: str) -> bool:
        """Whether there is a resource of that name."""
        return _built_in(name, None) is not None or name in self._by_name

    def resource_of(self, plural: str, group: str | None = None) -> Resource:
        """The resource by its plural name, with version and group where these are needed; built-in ones first."""
        found = _built_in(plural, group)
        if found is None:
            found = self._by_name.get(f"{plural}.{group}" if group else plural)
        if found is None:
            near = _near(plural, tuple([one.name for one in self.all()]))
            raise UsageError(f"resource {plural!r} is not served; nearest: {near}")
        return found

    def resource_for(self, kind: str, api_version: str) -> Resource:
        """The resource that holds objects of this kind."""
        found = _by_kind().get((api_version, kind))
        if found is not None:
            return found
        for one in self.custom():
            if one.api_version == api_version and one.kind == kind:
                return one
        wanted = f"{api_version} {kind}"
        near = _near(wanted, tuple([f"{one.api_version} {one.kind}" for one in self.all() if _holds(one)]))
        raise UsageError(f"kind {wanted} is not served; nearest: {near}")


@cache
def resources() -> tuple[Resource, ...]:
    """All built-in resources."""
    rows = json.loads(files(__package__).joinpath("resources.json").read_text())
    return tuple(
        Resource(**{**row, "verbs": tuple(row["verbs"]), "short_names": tuple(row["short_names"])})
        for row in rows
    )


_BUILT_IN = Resources()


def resource_of(plural: str, group: str | None = None) -> Resource:
    """The built-in resource by its plural name (`pods`), or `events.events.k8s.io` style with its group."""
    return _BUILT_IN.resource_of(plural, group)


def resource_for(kind: str, api_version: str) -> Resource:
    """The built-in resource that holds objects of this kind."""
    return _BUILT_IN.resource_for(kind, api_version)


# ---- custom resources


def custom_resources(definition: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The resources that the spec of a CustomResourceDefinition (a tree) stands for, the preferred version first.

    Whether they are served is another question: the definition must be established.
    """
    names, group = definition["names"], str(definition["group"])
    versions = sorted(definition["versions"], key=lambda version: version_priority(version["name"]))
    served = [version for version in versions if version.get("served")]
    stored = next((version["name"] for version in versions if version.get("storage")), "")
    return tuple(
        [
            _custom_resource(
                definition, names, group, version, stored=stored, is_preferred=version is served[0]
            )
            for version in served
        ]
    )


def _custom_resource(
    definition: Mapping[str, Any],
    names: Mapping[str, Any],
    group: str,
    version: Mapping[str, Any],
    *,
    stored: str,
    is_preferred: bool,
) -> Resource:
    subresources = version.get("subresources") or {}
    scale = subresources.get("scale") or {}
    plural = names["plural"]
    custom = CustomVersion(
        definition=f"{plural}.{group}",
        stored_as=f"{group}/{stored}",
        list_kind=names.get("listKind") or f"{names['kind']}List",
        schema=(version.get("schema") or EMPTY).get("openAPIV3Schema") or EMPTY,
        spec_replicas_path=scale.get("specReplicasPath", ""),
        status_replicas_path=scale.get("statusReplicasPath", ""),
        label_selector_path=scale.get("labelSelectorPath") or "",
        selectable_fields=tuple([one["jsonPath"] for one in version.get("selectableFields") or ()]),
        preserve_unknown_fields=bool(definition.get("preserveUnknownFields")),
    )
    return Resource(
        plural=plural,
        kind=names["kind"],
        api_version=f"{group}/{version['name']}",
        namespaced=definition.get("scope") == "Namespaced",
        has_status=subresources.get("status") is not None,
        has_scale=subresources.get("scale") is not None,
        storage_prefix=f"{group}/{plural}",
        verbs=CUSTOM_VERBS,
        short_names=tuple(names.get("shortNames") or ()),
        custom=custom,
        name=f"{plural}.{group}" if is_preferred else f"{plural}.{version['name']}.{group}",
    )


_VERSION = re.compile(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?")
_STAGES = {None: 0, "beta": 1, "alpha": 2}


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Sorts v2, v1, v1beta2, v1beta1, v1alpha1, and then everything else by name."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (9, 0, 0, version)
    major, stage, minor = found.groups()
    return (_STAGES[stage], -int(major), -int(minor or 0), version)


# ---- looking up


_MAIN = "\0"  # the resource that a bare plural means: the core group first, then the order of the catalogue


def _built_in(plural: str, group: str | None) -> Resource | None:
    name, _, suffix = plural.partition(".")
    wanted = suffix or group
    return _by_plural().get((name, wanted) if wanted else (name, _MAIN))


@cache
def _by_plural() -> dict[tuple[str, str], Resource]:
    table: dict[tuple[str, str], Resource] = {}
    for resource in sorted(
        resources(), key=lambda resource: (resource.group != "", resource.api_version.endswith("v1"))
    ):
        table.setdefault((resource.plural, resource.group), resource)
        table.setdefault((resource.plural, _MAIN), resource)
    return table


@cache
def _by_kind() -> dict[tuple[str, str], Resource]:
    return {(resource.api_version, resource.kind): resource for resource in resources() if _holds(resource)}


def _holds(resource: Resource) -> bool:
    return "get" in resource.verbs or "create" in resource.verbs


@lru_cache(maxsize=256)
def _near(name: str, names: tuple[str, ...]) -> str:
    # remembered: a component may ask for a kind again and again until its definition is established
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.4)), "none")
