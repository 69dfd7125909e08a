"""Histories: what clients asked and heard, and when.

An `Operation` is one call of one client. `check_linearizability` judges lists of them; `history_files.py` reads them
from files. Times are whole numbers on one clock that all clients share: nanoseconds of a simulation, or positions in
a log; two calls that touch at one instant count as concurrent.

Not modelled: operations that answer in parts (a watch), and clients that call twice at once under one name.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import field, frozen

from chaoskube.sim import UsageError

Input_co = TypeVar("Input_co", covariant=True)
Output_co = TypeVar("Output_co", covariant=True)


@frozen(kw_only=True)
class Operation(Generic[Input_co, Output_co]):
    """One call: what was asked, what was answered (None: no answer), and when.

    A call without an answer may have taken effect at any time after it was made, or never.
    """

    client: str
    input: Input_co
    output: Output_co | None = None
    call: int
    returned: int | None = field(default=None)

    @returned.validator
    def _returns_after_the_call(self, _: object, returned: int | None) -> None:
        if (returned is None) != (self.output is None):
            raise UsageError(
                f"client {self.client} at {self.call}: output={self.output!r} and returned={returned}; an operation"
                " has both, or neither when it got no answer"
            )
        if returned is not None and returned < self.call:
            raise UsageError(
                f"client {self.client} at {self.call}: returned={returned} lies before its call; times must be of"
                " one clock"
            )

    @property
    def is_answered(self) -> bool:
        """Whether the client knows that it took effect."""
        return self.returned is not None

    def unanswered(self) -> Operation[Input_co, Output_co]:
        """The same call, as if its answer had never come."""
        return Operation(client=self.client, input=self.input, call=self.call)
