"""The journal events that the harness itself writes: what was done to the world, and when it was undone.

Models and observers may read them; only the harness writes them.
"""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class OperationStarted:
    """A user's or client's action began. `text` is its line in the trace, `verb` its word."""

    verb: str
    text: str
    targets: tuple[str, ...] = ()


@frozen(kw_only=True)
class OperationEnded:
    """What the operation asked for has been carried out as far as its own request goes."""

    verb: str
    text: str


@frozen(kw_only=True)
class FaultStarted:
    """A fault began."""

    verb: str
    text: str


@frozen(kw_only=True)
class FaultEnded:
    """A fault was healed."""

    verb: str
    text: str


@frozen(kw_only=True)
class ProcessStarted:
    """A process began a life; `life` counts from 1."""

    life: int


@frozen(kw_only=True)
class ProcessStopped:
    """A process ended: `reason` is crash, exit or power."""

    life: int
    reason: str


@frozen(kw_only=True)
class ProcessSignalled:
    """A process is asked to end; what it does then is its own business."""

    signal: str


@frozen(kw_only=True)
class ProcessPanicked:
    """A process met something that it can't go on with, and ends itself; ProcessStopped follows."""

    life: int
    why: str


@frozen(kw_only=True)
class BitRotted:
    """Bits flipped in the record at this place (from 0) of a file on this process's disk."""

    file: str
    place: int
