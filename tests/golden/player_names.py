"""Rewrites a recorded command into our words while the play is on.

What a recorded command names (a generated pod, a uid, a version, a hash) is looked up among the recorded objects,
and bound to one of ours: under the bound owner, by its place in the order of creation, or, where several could be
meant, by the state it was in when the command named it. What finds no partner stays as it is; the answer will
differ then. Who calls it: `player`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .binding import Binding
from .history import History, Run, as_run, controller_of, is_deleting, labels_of
from .pairing import bind_objects, is_generated
from .recording import Recording, Watched, replaced
from .trees import Json, Tree, as_tree, condition, items, mapping, number, text
from .volumes import VOLUME, parts

_VERSION_KEYS = ("resourceVersion",)


class PlayerNames:
    """The binding between the recording and the play so far."""

    def __init__(self, recording: Recording) -> None:
        self.binding = Binding()
        self.nodes: dict[str, str] = {}
        self.volumes: dict[str, str] = {}
        self._recording = recording
        self._left: Run = as_run(recording)
        self._words: dict[str, History] = {}
        for found in self._left.objects:
            if found.kind != "Event":
                self._words[found.uid] = found
                if is_generated(found):
                    self._words[found.name] = found

    def to_ours(self, tree: Json, time: float, seen: list[Watched]) -> Json:
        """A recorded path, query or body in our words; `seen`: what we committed so far."""
        self._bind_nodes(tree, time, seen)
        self._bind_volumes(tree, seen)
        self._bind_words(tree, time, seen)
        return self._with_versions(self.binding.to_right(tree), tree, time, seen)

    def _bind_nodes(self, tree: Json, time: float, seen: list[Watched]) -> None:
        """At the first word about a node: ours of the same shape that carries the same, for each recorded one.

        Which of equal nodes a pod was put on is free, so a node is known by what runs on it.
        """
        shapes = {text(as_tree(node), "name"): _shape(as_tree(node)) for node in self._recording.meta.nodes}
        if self.nodes or not any(_mentions(tree, name) for name in shapes):
            return
        ours = as_run(replaced(self._recording, seen))
        free = list(shapes)
        loads = {name: (_load(self._left, name, time), _load(ours, name, time + 1e9)) for name in shapes}
        for name in sorted(shapes, key=lambda one: loads[one][0] != loads[one][1]):
            same = [one for one in free if shapes[one] == shapes[name]]
            best = min(same, key=lambda one: (loads[one][1] != loads[name][0], one != name, one))
            free.remove(best)
            self.nodes[name] = best
        for name, ours_name in self.nodes.items():
            self.binding.bind(name, ours_name)

    def volumes_as_told(self, seen: list[Watched]) -> dict[str, str]:
        """Our volume for each recorded one whose part it plays; as the commands were told, if any named one."""
        return self.volumes or parts(self._left, as_run(replaced(self._recording, seen)))

    def _bind_volumes(self, tree: Json, seen: list[Watched]) -> None:
        """At the first word about a volume after claims have got theirs: see `volumes`."""
        names = [found.name for found in self._left.of_kind(VOLUME)]
        if self.volumes or not any(_mentions(tree, name) for name in names):
            return
        self.volumes = self.volumes_as_told(seen)
        for name, ours in self.volumes.items():
            self.binding.bind(name, ours)

    def _bind_words(self, tree: Json, time: float, seen: list[Watched]) -> None:
        named = [
            word for word in self._words if _mentions(tree, word) and self.binding.right_of(word) is None
        ]
        if named:
            ours = as_run(replaced(self._recording, seen))
            for word in named:
                self._bind(self._words[word], time, ours)

    def _bind(self, wanted: History, time: float, ours: Run) -> None:
        if self.binding.right_of(wanted.uid) is not None:
            return
        owner = self._words.get(text(wanted.owner, "uid"))
        if owner is not None:
            self._bind(owner, time, ours)
        candidates = [found for found in ours.of_kind(wanted.kind) if self._may_be(wanted, found)]
        if not candidates:
            return
        place = _place(wanted, self._left)
        then = _state(_at(wanted, time))
        best = min(
            enumerate(candidates),
            key=lambda one: (
                self._distance(then, _state(one[1].last)),
                abs(_place(one[1], ours) - place),
                one[0],
            ),
        )[1]
        bind_objects(wanted, best, self.binding)

    def _distance(self, then: dict[str, object], now: dict[str, object]) -> int:
        """How badly two states differ; the node counts least, and only once nodes are bound."""
        then = {**then, "node": self.nodes.get(str(then["node"]), now["node"])}
        return sum(2 ** (len(then) - at) for at, key in enumerate(then) if then[key] != now[key])

    def _may_be(self, wanted: History, found: History) -> bool:
        if self.binding.left_of(found.uid) is not None or wanted.ns != found.ns:
            return False
        if not is_generated(wanted):
            return wanted.name == found.name
        owner = text(wanted.owner, "uid")
        return is_generated(found) and text(found.owner, "uid") == (self.binding.right_of(owner) or owner)

    def _with_versions(self, ours: Json, tree: Json, time: float, seen: list[Watched]) -> Json:
        """The tree with each recorded resource version replaced by that of our write."""
        if isinstance(ours, Mapping) and isinstance(tree, Mapping):
            changed: dict[str, Json] = {}
            for (key, value), recorded in zip(ours.items(), tree.values(), strict=True):
                if key in _VERSION_KEYS and isinstance(recorded, str):
                    changed[key] = self._version(recorded, seen)
                else:
                    changed[key] = self._with_versions(value, recorded, time, seen)
            return changed
        if isinstance(ours, list) and isinstance(tree, list):
            both = zip(ours, tree, strict=True)
            return [self._with_versions(value, recorded, time, seen) for value, recorded in both]
        return ours

    def _version(self, recorded: str, seen: list[Watched]) -> str:
        ours = self.binding.version_to_right(recorded)
        if ours != recorded or not recorded.isdigit():
            return ours
        write = next((commit for commit in self._left.commits if commit.rv == int(recorded)), None)
        if write is None:
            return recorded
        uid = text(write.object, "metadata", "uid")
        place = (
            [commit.rv for commit in self._words[uid].commits].index(write.rv) if uid in self._words else 0
        )
        mine = [
            commit for commit in seen if text(commit.object, "metadata", "uid") == self.binding.right_of(uid)
        ]
        return str(mine[min(place, len(mine) - 1)].rv) if mine else recorded


def _shape(node: Tree) -> str:
    """A node of the meta line without its name."""
    return json.dumps({key: value for key, value in node.items() if key != "name"}, sort_keys=True)


def _load(run: Run, node: str, time: float) -> list[str]:
    """What runs on a node: its pods by owner kind and phase."""
    pods = (_at(pod, time) for pod in run.of_kind("Pod") if _lives(pod, time))
    here = [pod for pod in pods if text(pod, "spec", "nodeName") == node]
    return sorted(f"{text(controller_of(pod), 'kind')} {json.dumps(_called(pod))}" for pod in here)


def _called(pod: Tree) -> list[str]:
    """Its name where the scenario chose it, and its labels but for hashes."""
    labels = sorted(f"{key}={value}" for key, value in labels_of(pod).items() if "hash" not in key)
    return [*labels, "" if text(pod, "metadata", "generateName") else text(pod, "metadata", "name")]


def _lives(pod: History, time: float) -> bool:
    return pod.commits[0].t <= time and not any(c.type == "DELETED" and c.t <= time for c in pod.commits)


def _mentions(tree: Json, word: str) -> bool:
    if isinstance(tree, str):
        return word in tree
    if isinstance(tree, Mapping):
        return any(_mentions(value, word) for value in tree.values())
    return isinstance(tree, list) and any(_mentions(item, word) for item in tree)


def _place(found: History, run: Run) -> int:
    """Its place in the order of creation under its owner."""
    owner = text(found.owner, "uid")
    siblings = [one for one in run.of_kind(found.kind) if text(one.owner, "uid") == owner]
    return siblings.index(found)


def _at(found: History, time: float) -> Tree:
    """The object as it was at that time of its run."""
    before = [commit.object for commit in found.commits if commit.t <= time]
    return before[-1] if before else found.first


def _state(tree: Tree) -> dict[str, object]:
    """What tells alike objects apart at one moment, the weightiest first."""
    restarts = max(
        (number(one, "restartCount") for one in items(tree, "status", "containerStatuses")), default=0
    )
    return {
        "deleting": is_deleting(tree),
        "phase": text(tree, "status", "phase"),
        "ready": text(condition(tree, "Ready"), "status"),
        "restarts": restarts,
        "notes": sorted(mapping(tree, "metadata", "annotations")),
        "labels": sorted(labels_of(tree)),
        "owned": bool(controller_of(tree)),
        "node": text(tree, "spec", "nodeName"),
    }
