"""Numbers that the recorded and the simulated etcd chose for themselves, and which of them mean the same.

Members are known by their places in the recording (`member-0`; one that was added, by the order: `added-0`), and
leases whose id the server chose by the order in which they were granted (`lease-0`). Both sides are put into these
words before they are compared; a recorded number of a member in a request is turned into ours before it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import define, field

from tests.golden.recording import EtcdCall, Recording
from tests.golden.trees import Json, Tree, at, items, text

_MEMBER_FIELDS: Final = ("member_id", "memberID", "targetID", "leader")
_GRANT: Final = "/v3/lease/grant"
_ADD: Final = "/v3/cluster/member/add"


@define
class Side:
    """The numbers of one side, each with its name."""

    members: dict[str, str] = field(factory=dict)
    leases: dict[str, str] = field(factory=dict)

    def note(self, call: EtcdCall, body: Json) -> None:
        """The answer to `call` may have made a member or a lease."""
        if call.path == _GRANT and not text(call.request, "ID"):
            _give(text(body, "ID"), "lease", self.leases)
        elif call.path == _ADD:
            _give(text(body, "member", "ID"), "added", self.members)

    def named(self, tree: Json, *, is_member: bool = False) -> Json:
        """The tree with names for the numbers; `is_member`: it describes a member."""
        if isinstance(tree, list):
            return [self.named(one, is_member=is_member) for one in tree]
        if not isinstance(tree, Mapping):
            return tree
        return {key: self._named_field(key, value, is_member=is_member) for key, value in tree.items()}

    def _named_field(self, key: str, value: Json, *, is_member: bool) -> Json:
        if not isinstance(value, str):
            return self.named(value, is_member=is_member or key in ("member", "members"))
        if key in _MEMBER_FIELDS or (key == "ID" and is_member):
            return self.members.get(value, value)
        return self.leases.get(value, value) if key == "ID" else value


@define
class Names:
    """Both sides."""

    recorded: Side = field(factory=Side)
    ours: Side = field(factory=Side)
    addresses: dict[str, str] = field(factory=dict)
    """The process of ours that stands for each recorded peer address."""

    def learn_addresses(self, recording: Recording, processes: Sequence[str]) -> list[str]:
        """Bind the addresses of recorded members to `processes`; the names for those that were never started."""
        for call in recording.records:
            if isinstance(call, EtcdCall):
                for member in items(call.response, "members"):
                    name = self.recorded.members.get(text(member, "ID"), "")
                    if name.startswith(_member("")):
                        place = int(name.removeprefix(_member("")))
                        self.addresses.setdefault(_address(member), processes[place])
        unknown = [
            address
            for call in recording.records
            if isinstance(call, EtcdCall) and call.path == _ADD
            if (address := _address(call.request)) not in self.addresses
        ]
        for place, address in enumerate(dict.fromkeys(unknown)):
            self.addresses[address] = f"never-started-{place}"
        return [name for name in self.addresses.values() if name not in processes]

    def learn(self, recording: Recording) -> None:
        """The recorded numbers show in the headers of answers, and where members and leases are made."""
        for call in recording.records:
            if isinstance(call, EtcdCall):
                number = text(call.response, "header", "member_id")
                if number:
                    self.recorded.members[number] = _member(call.member)
                for member in items(call.response, "members"):
                    if name := text(member, "name"):
                        self.recorded.members[text(member, "ID")] = _member(name.removeprefix("m"))
                self.recorded.note(call, call.response)

    def bind_member(self, place: int, number: int) -> None:
        """Our member at that place goes by `number`."""
        self.ours.members[str(number)] = _member(place)

    def to_ours(self, path: str, request: Tree) -> Tree:
        """The request with our numbers of members in it, and the names of our processes for addresses."""
        numbers = {name: number for number, name in self.ours.members.items()}
        keys = (*_MEMBER_FIELDS, "ID") if "/member/" in path else _MEMBER_FIELDS

        def turned(key: str, value: Json) -> Json:
            if key == "peerURLs" and isinstance(value, list):
                return [self.addresses[str(one)] for one in value]
            if key not in keys or not isinstance(value, str):
                return value
            return numbers.get(self.recorded.members.get(value, ""), value)

        return {key: turned(key, value) for key, value in request.items()}


def _give(number: str, kind: str, names: dict[str, str]) -> None:
    if number and number not in names:
        names[number] = f"{kind}-{sum(name.startswith(kind) for name in names.values())}"


def _address(tree: Tree) -> str:
    found = at(tree, "peerURLs")
    return str(found[0]) if isinstance(found, list) and found else ""


def _member(place: int | str) -> str:
    return f"member-{place}"
