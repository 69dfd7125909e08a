"""Believable words for drawn arguments: names, images, teams. Simplest first, in a stable order.

Made once from Faker with a constant seed, normalised to DNS labels, sorted by length and text, after a few
hand-picked simple ones. What was drawn is stored in the trace as a value, so another version of Faker
changes what is drawn next, never what a trace means. Identity (uids, pod suffixes) comes from the
world's own streams, never from here.

Called by `arguments.Word`. Faker is imported only here, and only when a word is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chaoskube.sim import Catalogue

if TYPE_CHECKING:
    from faker import Faker

WORDS_MAX = 64
_SEED = 20_260_101
_SIMPLE_NAMES = ("web", "api", "db", "cache", "worker", "shop", "cart", "auth")

Corpus = Callable[[], tuple[str, ...]]
corpora: Catalogue[Corpus] = Catalogue("corpus")


def corpus(name: str) -> Callable[[Corpus], Corpus]:
    """Register a function that returns words, simplest first."""
    return lambda function: corpora.register(name, function)


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a corpus, simplest first."""
    return corpora.get(name)()


@corpus("name")
def names() -> tuple[str, ...]:
    """Names of workloads: DNS labels."""
    return _drawn(_SIMPLE_NAMES, lambda fake: fake.domain_word())


@corpus("team")
def teams() -> tuple[str, ...]:
    """Names of teams, for namespaces and labels."""
    return _drawn(("default", "team-a", "team-b"), lambda fake: fake.color_name())


@corpus("image")
def images() -> tuple[str, ...]:
    """Image references with a tag; the first differ only in their tag."""
    simple = tuple(f"registry.example/web:v{number}" for number in range(2, 10))
    return _drawn(
        simple, lambda fake: f"{fake.domain_name()}/{_label(fake.last_name())}:v{fake.random_digit()}", False
    )


def _drawn(simple: tuple[str, ...], make: Callable[[Faker], str], label: bool = True) -> tuple[str, ...]:
    from faker import Faker

    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(_SEED)
    found = {_label(made) if label else made.lower() for made in (make(fake) for _ in range(WORDS_MAX))}
    more = sorted(found - set(simple) - {""}, key=lambda word: (len(word), word))
    return simple + tuple(more)


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63]
