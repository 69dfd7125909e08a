"""Whose is it? Adoption of orphans that match, release of what no longer matches.

`decide` is the rule for one candidate, pure. `claim` carries it out for one owner: before the first adoption the
owner is read from the server, so that nothing is adopted by somebody who is gone.

Source: pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeVar

from chaoskube.models.client.api import ApiClient, is_not_found, status_of
from chaoskube.models.client.workers import Retry
from chaoskube.models.objects import KubeObject, LabelSelector, matches, resource_for
from chaoskube.sim import Refused

T = TypeVar("T", bound=KubeObject)


class Claim(Enum):
    """What an owner does about a candidate."""

    KEEP = "keep"
    IGNORE = "ignore"
    ADOPT = "adopt"
    RELEASE = "release"


def decide(
    owner: KubeObject, selector: LabelSelector | None, candidate: KubeObject, *, fits: bool = True
) -> Claim:
    """The rule for one candidate, as both are cached; one that doesn't fit matches nothing."""
    reference = candidate.metadata.controller
    matching = fits and matches(selector, candidate.labels)
    owner_goes = owner.metadata.deletion_timestamp is not None
    if reference is not None:
        if reference.uid != owner.uid:
            return Claim.IGNORE
        if matching:
            return Claim.KEEP
        return Claim.IGNORE if owner_goes else Claim.RELEASE
    if owner_goes or not matching or candidate.metadata.deletion_timestamp is not None:
        return Claim.IGNORE
    return Claim.ADOPT


async def claim(
    client: ApiClient,
    owner: KubeObject,
    selector: LabelSelector | None,
    candidates: Iterable[T],
    *,
    also: Callable[[T], bool] | None = None,
) -> tuple[T, ...]:
    """The candidates that are the owner's, after adopting and releasing; `also`: what must be true besides."""
    kept: list[T] = []
    checked = False
    for candidate in candidates:
        verdict = decide(owner, selector, candidate, fits=also is None or also(candidate))
        if verdict is Claim.RELEASE:
            await _release(client, owner, candidate)
        elif verdict is Claim.KEEP:
            kept.append(candidate)
        elif verdict is Claim.ADOPT:
            if not checked:
                await check_alive(client, owner)
                checked = True
            if await adopt(client, owner, candidate):
                kept.append(candidate)
    return tuple(kept)


async def check_alive(client: ApiClient, owner: KubeObject) -> None:
    """Ask the server whether the owner is there and stays; Retry when it doesn't."""
    resource = resource_for(owner.kind, owner.api_version).plural
    fresh = await client.get(resource, owner.namespace, owner.name)
    if fresh.uid != owner.uid:
        raise Retry(f"{owner.kind} {owner.key} is another one now: uid {fresh.uid}, not {owner.uid}")
    if fresh.metadata.deletion_timestamp is not None:
        raise Retry(f"{owner.kind} {owner.key} is being deleted and adopts nothing")


async def adopt(client: ApiClient, owner: KubeObject, candidate: KubeObject) -> bool:
    """Make `owner` the candidate's controller; False when the candidate is gone."""
    reference = {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    patch = {"metadata": {"ownerReferences": [reference], "uid": candidate.uid}}
    resource = resource_for(candidate.kind, candidate.api_version).plural
    try:
        await client.patch(resource, candidate.namespace, candidate.name, patch)
    except Refused as refusal:
        if is_not_found(refusal):
            return False
        raise
    return True


async def _release(client: ApiClient, owner: KubeObject, candidate: KubeObject) -> None:
    patch = {
        "metadata": {
            "ownerReferences": [{"$patch": "delete", "uid": owner.uid}],
            "uid": candidate.uid,
        }
    }
    resource = resource_for(candidate.kind, candidate.api_version).plural
    try:
        await client.patch(resource, candidate.namespace, candidate.name, patch)
    except Refused as refusal:
        if status_of(refusal).code not in (404, 422):
            raise
