"""The monotonic clock of a host that drifts: virtual time seen through a rate that isn't one.

A host whose crystal is right uses the world's clock itself, so that calm costs nothing; from its first drift
on it has one of these, which answers the same two questions (what time is it, call this then) in the host's own
time. It goes on from where it was when the rate changes, never back, and never jumps.

Made by `Host.drift`, used by the host's processes. Not modelled: that every crystal is a little wrong always.
"""

from __future__ import annotations

from typing import Final

from .clock import Callback, Clock

MILLION: Final = 1_000_000


class HostClock:
    """Local ns of one host, between two changes of its rate a straight line over virtual ns."""

    __slots__ = ("_from_local", "_from_world", "_rate", "_world")

    def __init__(self, world: Clock) -> None:
        self._world = world
        self._from_world = self._from_local = world.now
        self._rate = MILLION
        """Local ns in a million virtual ns."""

    @property
    def now(self) -> int:
        """Local ns."""
        return self._from_local + (self._world.now - self._from_world) * self._rate // MILLION

    @property
    def drift_ppm(self) -> int:
        """By how many ns in a million it is fast (or slow, below zero)."""
        return self._rate - MILLION

    def world_time(self, local_ns: int) -> int:
        """The first virtual instant at which this clock shows `local_ns`, or later."""
        return self._from_world - ((self._from_local - local_ns) * MILLION // self._rate)

    def at(self, when: int, fn: Callback, *args: object) -> None:
        """Call `fn(*args)` when this clock shows `when`."""
        self._world.at(self.world_time(when), fn, *args)

    def run_at(self, drift_ppm: int) -> None:
        """Go on from here at another rate."""
        self._from_local, self._from_world = self.now, self._world.now
        self._rate = MILLION + drift_ppm
