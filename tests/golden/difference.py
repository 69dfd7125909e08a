"""One difference between two runs, and where in each it shows."""

from __future__ import annotations

from attrs import frozen

from .recording import Command, Watched


@frozen(kw_only=True)
class Difference:
    """What differs, in one line, with the record on each side where it shows (None: there is none)."""

    what: str
    left: Command | Watched | None = None
    right: Command | Watched | None = None

    @property
    def time(self) -> float:
        """When it first shows, on the clock of the side that has it."""
        return min((record.t for record in (self.left, self.right) if record is not None), default=0.0)
