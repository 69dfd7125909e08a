"""Makes inside.json.gz: the shape of the API server's own Go structs, which it prints in some messages.

    python -m chaoskube.models.objects.inside_build TYPES.go ...

The files are pkg/apis/{core,apps,batch,policy,rbac}/types.go of Kubernetes; run by hand, for a new Kubernetes. Of each struct that
is reached from ROOTS, its fields in order with their types are kept. The same files give the same bytes.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

ROOTS = (
    "PodTemplateSpec",
    "PersistentVolumeClaimSpec",
    "PersistentVolumeSource",
    "PodDisruptionBudgetSpec",
    "StatefulSetUpdateStrategy",
    "DaemonSetUpdateStrategy",
    "DeploymentStrategy",
    "SuccessPolicy",
    "PodFailurePolicy",
    "RoleRef",
)
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_ALIAS = re.compile(r"^type (\w+) (?!struct\b|interface\b)(\S+)$", re.MULTILINE)
_FIELD = re.compile(r"^\t(\w+)\s+([^\s`/]+)|^\t([\w.]+)\s*(?:`|//|$)")


def main(paths: list[Path]) -> None:
    """Write the file beside this one."""
    text = "\n".join(path.read_text() for path in paths)
    structs = {name: _fields(body) for name, body in _STRUCT.findall(text)}
    aliases = {name: target for name, target in _ALIAS.findall(text)}
    wanted: dict[str, list[list[str]]] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in wanted or name not in structs:
            continue
        wanted[name] = [[field, _plain(kind, aliases)] for field, kind in structs[name]]
        waiting.extend(kind.lstrip("*[]").rpartition("]")[2].lstrip("*") for _, kind in wanted[name])
    packed = json.dumps(wanted, sort_keys=True, separators=(",", ":")).encode()
    (Path(__file__).parent / "inside.json.gz").write_bytes(gzip.compress(packed, 9, mtime=0))


def _fields(body: str) -> list[tuple[str, str]]:
    """(name, type) of each field; an embedded struct has the name ""."""
    found = []
    for line in body.splitlines():
        match = _FIELD.match(line)
        if match:
            name, kind, embedded = match.groups()
            found.append((name, kind) if name else ("", embedded))
    return found


def _plain(kind: str, aliases: dict[str, str]) -> str:
    """A type without the names that only rename one, nor the packages that it comes from."""
    prefix = re.match(r"(?:\*|\[\]|map\[\w+(?:\.\w+)?\])*", kind)
    head = prefix.group(0) if prefix else ""
    name = kind[len(head) :].removeprefix("api.").removeprefix("core.")
    while name in aliases:
        name = aliases[name]
    return re.sub(r"map\[[\w.]+\]", "map[]", head) + re.sub(r"map\[[\w.]+\]", "map[]", name)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
