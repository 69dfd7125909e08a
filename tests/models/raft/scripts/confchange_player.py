"""Plays scripts about configurations: changes in, the next configuration and everybody's progress out.

The commands are those of etcd-io/raft confchange/datadriven_test.go. The last index of the log counts commands.
"""

from __future__ import annotations

from chaoskube.models.raft.confchange import Changed, Changer, ConfChangeError
from chaoskube.models.raft.tracker import ProgressTracker

from .changes import BadChange, changes_from
from .picture import table_text
from .script import Directive


class ConfChangePlayer:
    """Keeps the configuration from command to command."""

    def __init__(self) -> None:
        self.tracker = ProgressTracker(max_inflight=10)
        self.last_index = 0

    def answer(self, directive: Directive) -> str:
        """What the command prints: the configuration, or the refusal."""
        try:
            self.tracker.config, self.tracker.progress = self._changed(directive)
        except (ConfChangeError, BadChange) as refusal:
            return f"{refusal}\n"
        finally:
            self.last_index += 1
        return f"{self.tracker.config}\n{table_text(self.tracker.progress)}"

    def _changed(self, directive: Directive) -> Changed:
        changer = Changer(tracker=self.tracker, last_index=self.last_index)
        changes = changes_from(directive.input)
        match directive.name:
            case "simple":
                return changer.simple(changes)
            case "enter-joint":
                return changer.enter_joint(
                    changes, auto_leave=directive.value("autoleave", "false") == "true"
                )
            case "leave-joint" if changes:
                raise BadChange("this command takes no input")
            case "leave-joint":
                return changer.leave_joint()
            case _:
                raise BadChange("unknown command")
