"""`kubectl taint nodes`: add `key=value:Effect`, remove `key:Effect-` or every effect of `key-`.

The whole list of taints goes into the patch: of two people who taint one node at once, one is forgotten.
Sources: staging/src/k8s.io/kubectl/pkg/cmd/taint/{taint,utils}.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from chaoskube.models.kubectl.session import STRATEGIC, CommandFailed, Kubectl, Target, at
from chaoskube.models.objects.frozen import Tree

MANAGER = "kubectl-taint"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@frozen(kw_only=True)
class TaintChange:
    """One word of the command line."""

    key: str
    value: str = ""
    effect: str = ""
    removes: bool = False


def parse_taint(text: str) -> TaintChange:
    """`key=value:Effect`, `key:Effect`, `key:Effect-` or `key-`."""
    removes = text.endswith("-")
    front, colon, effect = text.removesuffix("-").partition(":")
    key, _, value = front.partition("=")
    if colon and effect not in EFFECTS:
        raise CommandFailed(f"invalid taint effect: {effect}, unsupported taint effect")
    if not key or (not removes and not effect):
        raise CommandFailed(f"invalid taint spec: {text}")
    return TaintChange(key=key, value=value, effect=effect, removes=removes)


async def taint(kubectl: Kubectl, node: str, specs: Iterable[str], *, overwrite: bool = False) -> None:
    """Change the taints of a node."""
    target = Target(resource="nodes", name=node)
    live = await kubectl.get(target)
    old = list(at(live, "spec", "taints") or ())
    new = changed(old, [parse_taint(spec) for spec in specs], node, overwrite=overwrite)
    if new != old:
        await kubectl.patch(target, {"spec": {"taints": new or None}}, type=STRATEGIC, manager=MANAGER)


def changed(old: list[Tree], changes: list[TaintChange], node: str, *, overwrite: bool) -> list[Tree]:
    """The taints after the changes: new ones first, as kubectl puts them."""
    added = [change for change in changes if not change.removes]
    if len({(one.key, one.effect) for one in added}) < len(added):
        raise CommandFailed("duplicated taints with the same key and effect")
    there = [one.key for one in added if any(_matches(taint, one) for taint in old)]
    if there and not overwrite:
        raise CommandFailed(
            f"node {node} already has {','.join(there)} taint(s) with same effect(s) and --overwrite is false"
        )
    new: list[Tree] = [_tree(one) for one in added]
    new += [taint for taint in old if not any(_matches(taint, one) for one in added)]
    for removal in changes:
        if removal.removes:
            kept = [taint for taint in new if not _matches(taint, removal)]
            if len(kept) == len(new):
                raise CommandFailed(
                    f'taint "{removal.key}{":" + removal.effect if removal.effect else ""}" not found'
                )
            new = kept
    return new


def _matches(taint: Tree, change: TaintChange) -> bool:
    return taint["key"] == change.key and change.effect in ("", taint["effect"])


def _tree(change: TaintChange) -> Tree:
    tree: Tree = {"key": change.key, "effect": change.effect}
    return {**tree, "value": change.value} if change.value else tree
