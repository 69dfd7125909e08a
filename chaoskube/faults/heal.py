"""heal: every fault that is under way ends now, before its own time."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault


@fault("heal")
@frozen(kw_only=True)
class Heal(Action):
    """Take back every fault: processes and machines start again, links carry, streams flow."""

    def do(self, stage: Stage) -> None:
        """All at once, the last begun first."""
        stage.heal_all()

    def lasts(self) -> int:
        """Over at once."""
        return 0
