"""Which of several equal volumes a claim gets is free: the real binder finds them in an index without an order.

So a volume is known by the claim that it carries, not by its name: `parts` says which of ours plays the part of which
recorded one, and `told_as` tells our run with the recorded names, each volume with the identity (uid, source) of ours
that has that name. Volumes that differ in more than their name and source never stand for each other. Who calls it: the
player.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from .history import History, Run
from .recording import Command, Record, Recording, Watched, replaced
from .trees import Json, Tree, as_tree, mapping, text

VOLUME, CLAIM = "PersistentVolume", "PersistentVolumeClaim"
_PATH = "/api/v1/persistentvolumes/"
_COMMON = (
    "capacity",
    "accessModes",
    "claimRef",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeMode",
    "nodeAffinity",
    "mountOptions",
)


def parts(left: Run, right: Run) -> dict[str, str]:
    """For each recorded volume ours that plays its part; {} where all are called alike."""
    shapes = {found.name: _shape(found) for found in right.of_kind(VOLUME)}
    known = [found.name for found in left.of_kind(VOLUME) if found.name in shapes]
    chosen: dict[str, str] = {}
    carried = _carried(right)
    for claim, name in _carried(left).items():
        ours = carried.get(claim)
        if ours in known and name in known and shapes[name] == shapes[ours] and name not in chosen:
            chosen[name] = ours
    free = [name for name in known if name not in chosen.values()]
    for name in known:
        if name not in chosen:
            same = [one for one in free if shapes[one] == shapes[name]]
            if not same:
                return {}
            best = name if name in same else same[0]
            free.remove(best)
            chosen[name] = best
    return chosen if any(name != ours for name, ours in chosen.items()) else {}


def _carried(run: Run) -> dict[tuple[str | None, str, int], str]:
    """The volume of each claim, by its namespace, name and place among those of one name."""
    found: dict[tuple[str | None, str, int], str] = {}
    places: dict[tuple[str | None, str], int] = {}
    for claim in run.of_kind(CLAIM):
        place = places[claim.ns, claim.name] = places.get((claim.ns, claim.name), -1) + 1
        volume = text(claim.last, "spec", "volumeName")
        if volume:
            found[claim.ns, claim.name, place] = volume
    return found


def _shape(volume: History) -> str:
    spec = {key: value for key, value in mapping(volume.first, "spec").items() if key in _COMMON}
    return json.dumps({**spec, "claimRef": None}, sort_keys=True)


def told_as(ours: Recording, chosen: Mapping[str, str]) -> Recording:
    """Our run with each volume called by the recorded one whose part it plays."""
    if not chosen:
        return ours
    called = {mine: name for name, mine in chosen.items()}
    identities: dict[str, Tree] = {}
    for record in ours.records:
        if isinstance(record, Watched) and record.kind == VOLUME:
            identities.setdefault(record.name, record.object)
    return replaced(ours, [_record(record, called, identities) for record in ours.records])


def _record(record: Record, called: Mapping[str, str], identities: Mapping[str, Tree]) -> Record:
    if isinstance(record, Watched) and record.kind == VOLUME:
        tree = _volume(record.object, called, identities)
        return attrs.evolve(record, name=called.get(record.name, record.name), object=tree)
    if isinstance(record, Watched) and record.kind == CLAIM:
        return attrs.evolve(record, object=_claim(record.object, called))
    if isinstance(record, Command) and record.path.startswith(_PATH):
        mine = record.path.removeprefix(_PATH)
        path = _PATH + called.get(mine, mine)
        return attrs.evolve(record, path=path, response=_answer(record.response, called, identities))
    return record


def _answer(response: Json, called: Mapping[str, str], identities: Mapping[str, Tree]) -> Json:
    return _volume(as_tree(response), called, identities) if text(response, "kind") == VOLUME else response


def _claim(tree: Tree, called: Mapping[str, str]) -> Tree:
    volume = text(tree, "spec", "volumeName")
    if volume not in called:
        return tree
    return {**tree, "spec": {**mapping(tree, "spec"), "volumeName": called[volume]}}


def _volume(tree: Tree, called: Mapping[str, str], identities: Mapping[str, Tree]) -> Tree:
    name = called.get(text(tree, "metadata", "name"), "")
    if name not in identities:
        return tree
    other = identities[name]
    metadata = {**mapping(tree, "metadata"), "name": name, "uid": text(other, "metadata", "uid")}
    own = {key: value for key, value in mapping(tree, "spec").items() if key in _COMMON}
    source = {key: value for key, value in mapping(other, "spec").items() if key not in _COMMON}
    return {**tree, "metadata": metadata, "spec": {**own, **source}}
