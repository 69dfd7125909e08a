"""How far two runs are compared: up to the end of the left one, the recording.

The runs' clocks are tied at the last command that both have. Near the end (`SLACK`) a few milliseconds decide what
was still seen, so what one run alone has there is no difference. Who calls it: objects, events, rules.
"""

from __future__ import annotations

from attrs import frozen

from .recording import Recording

SLACK_SECONDS = 0.02


@frozen(kw_only=True)
class Span:
    """The ends of both runs, each on its own clock; `right_goes_on`: only the left one really ends there."""

    left_end: float
    right_end: float
    right_goes_on: bool

    def left_may_lack(self, right_time: float) -> bool:
        """Whether the left run can have ended before it could see what the right one saw then."""
        return right_time > self.right_end - SLACK_SECONDS

    def right_may_lack(self, left_time: float) -> bool:
        """The same the other way round; never when the right run was played longer on purpose."""
        return not self.right_goes_on and left_time > self.left_end - SLACK_SECONDS

    def beyond(self, right_time: float) -> bool:
        """Whether this is after everything that is compared."""
        return right_time > self.right_end + SLACK_SECONDS


def span_of(left: Recording, right: Recording, *, right_goes_on: bool) -> Span:
    """Both ends: the earlier one, or the left one's when the right run was played longer on purpose."""
    shared = min(len(left.commands), len(right.commands))
    ahead = right.commands[shared - 1].t - left.commands[shared - 1].t if shared else 0.0
    left_end = left.end
    if not right_goes_on:
        left_end = min(left_end, right.end - ahead)
    return Span(left_end=left_end, right_end=left_end + ahead, right_goes_on=right_goes_on)
