"""Plays scripts about quorum arithmetic: the committed index and the vote of one group or of two joint ones.

The commands and the bars that picture the acknowledged indexes are those of etcd-io/raft
quorum/datadriven_test.go and quorum/majority.go.
"""

from __future__ import annotations

from chaoskube.models.raft.quorum import EVERYTHING, JointVoters

from .script import Directive

_VOTES = {"y": True, "n": False}


class QuorumPlayer:
    """Answers one command at a time; nothing is kept between them."""

    def answer(self, directive: Directive) -> str:
        """What the command prints."""
        incoming = _group(directive, "cfg")
        outgoing = _group(directive, "cfgj")
        voters = JointVoters(incoming=_sorted(incoming), outgoing=_sorted(outgoing))
        order = tuple(dict.fromkeys((*incoming, *outgoing)))
        given = directive.values("votes" if directive.name == "vote" else "idx")
        if len(given) != len(order):
            return f"error: mismatched input (explicit or _) for voters {order}: {given}"
        known = {voter: value for voter, value in zip(order, given, strict=True) if value != "_"}
        mirrored = JointVoters(incoming=voters.outgoing, outgoing=voters.incoming)
        if directive.name == "vote":
            votes = {voter: _VOTES[value] for voter, value in known.items()}
            assert mirrored.vote_result(votes) is voters.vote_result(votes)
            return f"{voters.vote_result(votes).value}\n"
        acknowledged = {voter: int(value) for voter, value in known.items()}
        index = voters.committed_index(acknowledged)
        assert mirrored.committed_index(acknowledged) == index
        return bars(voters.ids, acknowledged) + ("∞" if index == EVERYTHING else str(index)) + "\n"


def _group(directive: Directive, key: str) -> tuple[int, ...]:
    return tuple(int(value) for value in directive.values(key) if value != "zero")


def _sorted(voters: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(voters)))


def bars(voters: tuple[int, ...], acknowledged: dict[int, int]) -> str:
    """A line for each voter, the longer the more others it is ahead of; `?` for one that hasn't answered."""
    if not voters:
        return "<empty majority quorum>"
    width = len(voters)
    indexes = sorted(acknowledged.get(voter, 0) for voter in voters)
    lines = [" " * width + "    idx"]
    for voter in voters:
        index = acknowledged.get(voter, 0)
        bar = ("x" * indexes.index(index) + ">") if voter in acknowledged else "?"
        lines.append(f"{bar:<{width + 1}} {index:5d}    (id={voter:x})")
    return "\n".join(lines) + "\n"
