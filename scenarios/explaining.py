"""The command `chaoskube explain-fields`: which fields of a kind, or of the objects in a file, anything acts on.

Met through the entry-point group `chaoskube.commands`: the command line knows no Kubernetes. The facts are in
`models/objects/acted_on.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import click

from chaoskube.models.objects import TYPED, resources, unknown_kind
from chaoskube.models.objects.acted_on import FieldUse, field_uses, uses_in
from chaoskube.scenarios.reading import SUFFIXES, read_documents
from chaoskube.sim import UsageError

WIDTH_MAX = 72
"""A column of paths is this wide at the most: what is longer sticks out."""


@click.command("explain-fields", short_help="Say which fields of a kind or manifest are acted on.")
@click.argument("what")
@click.option(
    "--carried", is_flag=True, help="List the fields that are only carried along, and nothing else."
)
def explain_fields(what: str, carried: bool) -> int:
    """Say which fields the simulation acts on, and which it only carries along.

    WHAT is a kind (Pod, pods, or apps/v1/Deployment), or a file or folder of manifests. The rooms of the model that read a field
    stand behind it: a field without one is stored, shown and given back, and changes nothing.
    """
    path = Path(what)
    lines = _of_file(path) if path.suffix in SUFFIXES or path.exists() else _of_kind(what)
    for line, use in lines:
        if use is None or not carried or not use.rooms:
            click.echo(line)
    return 0


def _of_kind(what: str) -> Iterator[tuple[str, FieldUse | None]]:
    version, _, kind = what.rpartition("/")
    found = [
        (resource.api_version, resource.kind)
        for resource in resources()
        if kind.lower() in (resource.kind.lower(), resource.plural)
        and (not version or resource.api_version == version)
    ]
    typed = [identity for identity in found if identity in TYPED] or found
    if not typed:
        raise UsageError(f"{what}: {unknown_kind(version, kind).message if version else _no_kind(kind)}")
    api_version, kind = typed[0]
    yield f"{api_version} {kind}", None
    yield from _told(field_uses(api_version, kind))


def _no_kind(name: str) -> str:
    near = get_close_matches(name, sorted({resource.kind for resource in resources()}), n=1)
    hint = f"did you mean {near[0]}?" if near else "write one like Pod, pods or apps/v1/Deployment"
    return f"there is no such kind, and no such file; {hint}"


def _of_file(path: Path) -> Iterator[tuple[str, FieldUse | None]]:
    for document in read_documents((str(path),), None):
        tree = document.tree
        name = (tree.get("metadata") or {}).get("name", "")
        yield f"{document.place} {tree.get('kind', '')} {name}".rstrip(), None
        yield from _told(uses_in(tree))


def _told(uses: tuple[FieldUse, ...]) -> Iterator[tuple[str, FieldUse | None]]:
    width = min(max((len(use.path) for use in uses), default=0), WIDTH_MAX)
    for use in uses:
        yield f"  {use.path:{width}}  {', '.join(use.rooms) or 'carried along'}", use
