"""Finds, for each object of the left run, the one of the right run that is the same, and binds their names.

An object that the scenario named is known by its name and its place among those of that name. One that the system
named is known by its owner and the order of creation under it, and where several are alike, by the part it plays
later: those with equal facets are paired first, in order of creation, then the most similar. Owners are paired
before what they own. Who calls it: `compare`. The player binds while it runs and has its own way (`player_names`).
"""

from __future__ import annotations

from attrs import frozen

from .binding import Binding
from .facets import Step, facets_of
from .history import History, Run, controller_of
from .trees import items, text

# Owned objects of these kinds get their name from a hash or a time, not from generateName.
_NAMED_BY_HASH = ("ReplicaSet", "ControllerRevision", "Job")
_LABELS_WITH_TEMPLATE_HASH = ("pod-template-hash", "controller-revision-hash")
_INDEX_LABELS = ("batch.kubernetes.io/job-completion-index", "apps.kubernetes.io/pod-index")

Slot = tuple[str, str, str, str]


@frozen(kw_only=True)
class Pairs:
    """Objects of both runs that are the same, and those that only one run has."""

    both: tuple[tuple[History, History], ...]
    only_left: tuple[History, ...]
    only_right: tuple[History, ...]


def pair_runs(left: Run, right: Run, binding: Binding) -> Pairs:
    """Pair all objects but Events, owners first, and bind what they are called."""
    waiting_left = [found for found in left.objects if found.kind != "Event"]
    waiting_right = [found for found in right.objects if found.kind != "Event"]
    both: list[tuple[History, History]] = []
    while True:
        now = _one_round(waiting_left, waiting_right, left, right, binding)
        if not now:
            break
        both += now
        paired = {found.uid for pair in now for found in pair}
        waiting_left = [found for found in waiting_left if found.uid not in paired]
        waiting_right = [found for found in waiting_right if found.uid not in paired]
    both.sort(key=lambda pair: pair[0].commits[0].rv)
    return Pairs(
        both=tuple(_by_part(both, binding)), only_left=tuple(waiting_left), only_right=tuple(waiting_right)
    )


def _by_part(both: list[tuple[History, History]], binding: Binding) -> list[tuple[History, History]]:
    """Pairs of adopted pods, matched again by the part they play: which of equals a controller chose is free.

    They keep their names, which the scenario gave; only what is compared with what changes.
    """
    groups: dict[tuple[str, str], tuple[list[History], list[History]]] = {}
    rest = []
    for left, right in both:
        owners = [text(controller_of(commit.object), "uid") for commit in left.commits]
        adopter = next((owner for owner in owners if owner), "")
        if left.kind != "Pod" or not adopter or owners[0]:
            rest.append((left, right))
            continue
        first = facets_of(left, lambda tree: tree)["decided"][0].value
        ours, theirs = groups.setdefault((adopter, first), ([], []))
        ours.append(left)
        theirs.append(right)
    return rest + [
        pair for ours, theirs in groups.values() for pair in _most_alike(ours, theirs, binding, {})
    ]


def _one_round(
    waiting_left: list[History], waiting_right: list[History], left: Run, right: Run, binding: Binding
) -> list[tuple[History, History]]:
    """Pair what owes its name to nothing that still waits."""
    unborn = {found.uid for found in waiting_left} | {found.uid for found in waiting_right}
    groups: dict[Slot, tuple[list[History], list[History]]] = {}
    for side, waiting in enumerate((waiting_left, waiting_right)):
        for found in waiting:
            if text(found.owner, "uid") not in unborn:
                owner = _owner_word(found, (left, right)[side], binding if side else Binding())
                name = binding.words_to_left(found.name) if side else found.name
                groups.setdefault(_slot(found, owner, name), ([], []))[side].append(found)
    pairs: list[tuple[History, History]] = []
    for ours, theirs in groups.values():
        for pair in _match(ours, theirs, binding):
            bind_objects(*pair, binding)
            pairs.append(pair)
    return pairs


def _owner_word(found: History, run: Run, binding: Binding) -> str:
    """The owner in left words: its uid, or kind and name when its kind was not watched."""
    uid = text(found.owner, "uid")
    if not uid or any(other.uid == uid for other in run.objects):
        return binding.left_of(uid) or uid
    word = binding.words_to_left(text(found.owner, "name"))
    hashed = _hashed_owner(found)
    if hashed is not None:
        base, code = hashed
        same = (_hashed_owner(other) for other in run.objects)
        codes = dict.fromkeys(other[1] for other in same if other is not None and other[0] == base)
        word = f"{base}#{list(codes).index(code)}"  # the nth template of that name
    return f"{text(found.owner, 'kind')}/{word}"


def _hashed_owner(found: History) -> tuple[str, str] | None:
    """The owner's name in two parts, when it ends in the template hash that a pod carries as a label."""
    name = text(found.owner, "name")
    code = found.first_labels.get(_LABELS_WITH_TEMPLATE_HASH[0], "")
    return (name.removesuffix(code), code) if code and name.endswith(f"-{code}") else None


def is_generated(found: History) -> bool:
    """Whether the system, not the scenario, chose the object's name."""
    if any(label in found.first_labels for label in _INDEX_LABELS[1:]):
        return False
    return bool(text(found.first, "metadata", "generateName")) or (
        found.kind in _NAMED_BY_HASH and bool(text(found.owner, "uid"))
    )


def _slot(found: History, owner: str, name: str) -> Slot:
    if not is_generated(found):
        return (found.kind, found.ns or "", "", name)
    index = next((found.first_labels[label] for label in _INDEX_LABELS if label in found.first_labels), "")
    if text(found.owner, "kind") == "DaemonSet":
        index = daemon_node(found)
    prefix = "" if owner else text(found.first, "metadata", "generateName")
    return (found.kind, found.ns or "", owner, index or prefix)


def daemon_node(found: History) -> str:
    """The node for which a DaemonSet made this pod (its required affinity names it)."""
    path = (
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    for term in items(found.first, *path):
        for wanted in items(term, "matchFields"):
            values = wanted.get("values")
            if isinstance(values, list) and values and isinstance(values[0], str):
                return values[0]
    return ""


def _match(ours: list[History], theirs: list[History], binding: Binding) -> list[tuple[History, History]]:
    """Pairs within one slot: equal facets first, then the most similar, then the order of creation."""
    if len(ours) == 1 and len(theirs) == 1:
        return [(ours[0], theirs[0])]
    known = {found.uid: at for at, found in enumerate(ours)}
    bound = {
        j: known[uid] for j, found in enumerate(theirs) if (uid := binding.left_of(found.uid) or "") in known
    }
    return _most_alike(ours, theirs, binding, bound)


def _most_alike(
    ours: list[History], theirs: list[History], binding: Binding, bound: dict[int, int]
) -> list[tuple[History, History]]:
    """Pairs by falling similarity, the bound ones first."""
    left_facets = [facets_of(found, lambda tree: tree) for found in ours]
    right_facets = [facets_of(found, binding.to_left) for found in theirs]
    scored = sorted(
        (-_similarity(left_facets[i], right_facets[j]), abs(i - j), i, j)
        for i in range(len(ours))
        for j in range(len(theirs))
    )
    pairs = [(i, j) for j, i in bound.items()]
    for _, _, i, j in scored:
        if all(i != left and j != right for left, right in pairs):
            pairs.append((i, j))
    return [(ours[i], theirs[j]) for i, j in sorted(pairs)]


def _similarity(left: dict[str, list[Step]], right: dict[str, list[Step]]) -> float:
    """1 for equal facets, less for each value that stands in one only."""
    if {name: [step.value for step in steps] for name, steps in left.items()} == {
        name: [step.value for step in steps] for name, steps in right.items()
    }:
        return 1.0
    shared = total = 0
    for name in {**left, **right}:
        ours = [step.value for step in left.get(name, [])]
        theirs = [step.value for step in right.get(name, [])]
        total += max(len(ours), len(theirs))
        shared += sum(a == b for a, b in zip(ours, theirs, strict=False))
    return 0.99 * shared / max(total, 1)


def bind_objects(left: History, right: History, binding: Binding) -> None:
    """Bind everything that the two runs called differently about one object."""
    binding.bind(left.uid, right.uid)
    if left.name != right.name:
        binding.bind(left.name, right.name)
    for label in _LABELS_WITH_TEMPLATE_HASH:
        ours, theirs = left.first_labels.get(label, ""), right.first_labels.get(label, "")
        if left.kind in _NAMED_BY_HASH and ours != theirs:
            binding.bind(ours, theirs)
    ours_named, theirs_named = _hashed_owner(left), _hashed_owner(right)
    if ours_named and theirs_named and binding.left_of("".join(theirs_named)) is None:
        # its ReplicaSet was not watched: what the pod says of it is all there is
        binding.bind("".join(ours_named), "".join(theirs_named))
        binding.bind(ours_named[1], theirs_named[1])
        binding.bind(text(left.owner, "uid"), text(right.owner, "uid"))
    for path in (("spec", "clusterIP"), ("status", "podIP"), ("status", "hostIP")):
        ours, theirs = text(left.last, *path), text(right.last, *path)
        if ours != theirs and ours != "None" and theirs != "None":
            binding.bind(ours, theirs)
