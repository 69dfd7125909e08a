"""Named random streams: each depends on the run's seed and its own name, and on nothing else.

So a component that draws more leaves every other component's luck as it was, and removing one action
from a trace does not reshuffle the rest.
"""

from __future__ import annotations

import hashlib
import random


class Streams:
    """The run's luck, by name."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def get(self, name: str) -> random.Random:
        """The stream called `name`; the same object each time."""
        stream = self._streams.get(name)
        if stream is None:
            root = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=16).digest()
            stream = self._streams[name] = random.Random(int.from_bytes(root, "big"))
        return stream
