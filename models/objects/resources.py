"""The catalogue of resources: what the API calls a kind, where it is stored, what can be asked of it.

Source: pkg/controlplane/instance.go, pkg/registry/*/rest/storage_*.go, as served by /api and /apis of 1.36 (the
file resources.json, made by schema_build.py from the discovery documents).

Called by the API server's paths and storage, and by clients that go from a kind to its resource.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from attrs import frozen

from chaoskube.sim import UsageError


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

    @property
    def group(self) -> str:
        """The API group, "" for core."""
        return self.api_version.rpartition("/")[0]


@cache
def resources() -> tuple[Resource, ...]:
    """All resources that the API serves."""
    rows = json.loads(files(__package__).joinpath("resources.json").read_text())
    return tuple(
        Resource(**{**row, "verbs": tuple(row["verbs"]), "short_names": tuple(row["short_names"])})
        for row in rows
    )


def resource_of(plural: str, group: str | None = None) -> Resource:
    """The resource by its plural name (`pods`), or `events.events.k8s.io` style with its group."""
    name, _, suffix = plural.partition(".")
    wanted = suffix or group
    found = _by_plural().get((name, wanted) if wanted else (name, _MAIN))
    if found is None:
        raise UsageError(
            f"resource {plural!r} is not served; nearest: {_near(name, [r.plural for r in resources()])}"
        )
    return found


def resource_for(kind: str, api_version: str) -> Resource:
    """The resource that holds objects of this kind."""
    found = _by_kind().get((api_version, kind))
    if found is None:
        names = [f"{api_version} {kind}" for api_version, kind in _by_kind()]
        raise UsageError(
            f"kind {api_version} {kind} is not served; nearest: {_near(f'{api_version} {kind}', names)}"
        )
    return found


_MAIN = "\0"  # the resource that a bare plural means: the core group first, then the order of the catalogue


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


def _near(name: str, names: list[str]) -> str:
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.4)), "none")
