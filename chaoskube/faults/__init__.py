"""Faults that any distributed system has; one file each, found by `discovery.load`."""

from __future__ import annotations

from chaoskube.action import Stage
from chaoskube.arguments import CannotApply


def against_the_rest(hosts: tuple[str, ...], stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """These machines and all others; CannotApply when there are no others."""
    others = tuple(host for host in stage.subject.targets("host") if host not in hosts)
    if not others:
        raise CannotApply("there must be hosts on the other side")
    return hosts, others
