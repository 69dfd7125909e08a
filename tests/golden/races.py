"""Commands under way at once: who was first is the real server's choice, and a player repeats it.

A scenario with several writers has commands that overlap in time. Which of two overlapping writes of one object
is committed first isn't fixed by Kubernetes, but it decides the answers: the later one meets 409 or a newer version.
The recording tells: answers carry versions, and a 409 means that a write of a newer version than the one sent came
first. `firsts` says for each command which overlapping ones to await before sending it. Who calls it: `player`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .recording import Command
from .trees import text


def firsts(commands: Sequence[Command]) -> dict[int, tuple[int, ...]]:
    """By place in `commands`: the places of those that must have been answered before it is sent."""
    found: dict[int, tuple[int, ...]] = {}
    by_path: dict[str, list[int]] = {}
    for place, command in enumerate(commands):
        if command.verb != "GET":
            by_path.setdefault(command.path, []).append(place)
    for places in by_path.values():
        for place in places:
            rivals = [
                other for other in places if other != place and _overlap(commands[other], commands[place])
            ]
            before = tuple(other for other in rivals if _came_first(commands[other], commands[place]))
            if before:
                found[place] = before
    for place, reads in [*_reads_before(commands).items(), *_reads_of_states(commands).items()]:
        found[place] = (*found.get(place, ()), *reads)
    return found


def _reads_of_states(commands: Sequence[Command]) -> dict[int, list[int]]:
    """Fresh reads that overlap a write of what they read: whether they saw it tells who was first."""
    found: dict[int, list[int]] = {}
    reads = [place for place, command in enumerate(commands) if _is_fresh_read(command)]
    for place, write in enumerate(commands):
        written = text(write.response, "metadata", "resourceVersion")
        if write.verb == "GET" or write.status != 200 or not written.isdecimal():
            continue
        for read in reads:
            command = commands[read]
            if not _overlap(write, command) or not write.path.startswith(command.path):
                continue
            seen = int(text(command.response, "metadata", "resourceVersion"))
            first, then = (read, place) if seen < int(written) else (place, read)
            found.setdefault(then, []).append(first)
    return found


def _is_fresh_read(command: Command) -> bool:
    version = text(command.response, "metadata", "resourceVersion")
    return command.verb == "GET" and not command.query.get("resourceVersion") and version.isdecimal()


def _reads_before(commands: Sequence[Command]) -> dict[int, list[int]]:
    """By place of a write: the overlapping reads of its object that saw nothing of it."""
    found: dict[int, list[int]] = {}
    writes = {
        place: f"{command.path}/{text(command.response, 'metadata', 'name')}"
        for place, command in enumerate(commands)
        if command.verb == "POST" and command.status == 201
    }
    for read, command in enumerate(commands):
        if command.verb != "GET" or command.status != 404:
            continue
        for place, path in writes.items():
            if path == command.path and _overlap(commands[place], command):
                found.setdefault(place, []).append(read)
    return found


def _overlap(one: Command, other: Command) -> bool:
    return one.t < other.t + other.took and other.t < one.t + one.took


def _came_first(one: Command, other: Command) -> bool:
    """Whether `one` was committed, and before `other` was decided."""
    written = text(one.response, "metadata", "resourceVersion")
    if one.status not in (200, 201) or not written.isdecimal():
        return False
    if other.status == 409:
        seen = text(other.body, "metadata", "resourceVersion")
        return seen.isdecimal() and int(seen) == _replaced(one)
    later = text(other.response, "metadata", "resourceVersion")
    return later.isdecimal() and int(written) < int(later)


def _replaced(command: Command) -> int:
    """The version that this write replaced, as far as its body says."""
    seen = text(command.body, "metadata", "resourceVersion")
    return int(seen) if seen.isdecimal() else -1
