"""Sequential models: what a register, a store or a lock does when nobody else is there.

A history is linearizable if all its operations, each at one instant between its call and its answer, make sense one
after the other to such a model. `linearizability.py` asks for nothing but `Model`; the models below are the ones
that the field's histories use. States, inputs and outputs are hashable values: the search meets the same ones
again and again, and keeps each once.

An operation without an answer is asked with `output=None`: then every answer is possible, and the step is legal
wherever the operation could have happened. What an operation does to the state never hangs on its answer.

Not modelled: operations whose effect isn't determined by state and input (say, an identifier that the server draws).
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import Protocol, TypeVar, runtime_checkable

from attrs import frozen

State = TypeVar("State")
State_contra = TypeVar("State_contra", contravariant=True)
Input_contra = TypeVar("Input_contra", contravariant=True)
Output_contra = TypeVar("Output_contra", contravariant=True)


class Model(Protocol[State, Input_contra, Output_contra]):
    """A sequential specification."""

    def initial(self) -> State:
        """The state before the first operation (of each partition)."""

    def step(self, state: State, input: Input_contra, output: Output_contra | None, /) -> tuple[bool, State]:
        """Whether the model could answer `output` in `state`, and the state after it."""

    def is_read(self, input: Input_contra, output: Output_contra | None, /) -> bool:
        """Whether such an operation changes NO state: a read, a comparison that is known to have failed."""

    def partition(self, input: Input_contra, /) -> Hashable:
        """What the operation touches; operations of different partitions have nothing to do with each other."""

    def describe(self, input: Input_contra, output: Output_contra | None, /) -> str:
        """The operation in a few words."""


@runtime_checkable
class Growing(Protocol[State_contra, Input_contra, Output_contra]):
    """What a model may say besides, to make searches shorter: its states only grow, but for resets."""

    def is_out_of_reach(self, state: State_contra, input: Input_contra, output: Output_contra, /) -> bool:
        """Whether the answer stays wrong whatever follows, until there is a way back."""

    def is_way_back(self, reset: Input_contra, input: Input_contra, output: Output_contra, /) -> bool:
        """Whether such an operation makes a state that the answer can be reached from, whatever was before."""


class Done(Enum):
    """The answer of an operation that has nothing to tell: it took effect, or it is known that it did not."""

    OK = "ok"
    FAILED = "failed"


@frozen(kw_only=True)
class Got:
    """The answer to a read: the value, None where there was none."""

    value: Hashable


@frozen(kw_only=True)
class Read:
    """Read the value (of a key)."""

    key: str = ""


@frozen(kw_only=True)
class Write:
    """Set the value (of a key)."""

    key: str = ""
    value: Hashable


@frozen(kw_only=True)
class CompareAndSet:
    """Set the value if it is the expected one; the answer says whether it was."""

    key: str = ""
    expected: Hashable
    value: Hashable


@frozen(kw_only=True)
class Append:
    """Put a string at the end of the value."""

    key: str = ""
    value: str


@frozen(kw_only=True)
class Add:
    """Put an element into a set; adding it twice is adding it once."""

    element: str


@frozen(kw_only=True)
class Acquire:
    """Take the lock."""

    name: str = ""


@frozen(kw_only=True)
class Release:
    """Give the lock back; it must be held."""

    name: str = ""


RegisterInput = Read | Write | CompareAndSet
StringInput = Read | Write | Append
SetInput = Read | Add
LockInput = Acquire | Release
Answer = Got | Done


class Register:
    """One register a key, empty at first, with compare-and-set."""

    def initial(self) -> Hashable:
        """Nothing is written yet."""
        return None

    def step(self, state: Hashable, input: RegisterInput, output: Answer | None, /) -> tuple[bool, Hashable]:
        """A read tells the value, a write sets it, compare-and-set tells whether it did."""
        if isinstance(input, Read):
            return output is None or _tells(output, state), state
        if isinstance(input, Write):
            return output is not Done.FAILED, input.value
        is_expected = state == input.expected
        is_legal = output is None or is_expected == (output is Done.OK)
        return is_legal, input.value if is_expected else state

    def is_read(self, input: RegisterInput, output: Answer | None, /) -> bool:
        """Reads, and comparisons that are known to have failed."""
        return isinstance(input, Read) or output is Done.FAILED

    def partition(self, input: RegisterInput, /) -> Hashable:
        """Each key is a register of its own."""
        return input.key

    def describe(self, input: RegisterInput, output: Answer | None, /) -> str:
        """As in `write x 4`, `cas 1->2 failed`."""
        if isinstance(input, CompareAndSet):
            return _told(f"cas {_words(input.key)}{_value(input.expected)}->{_value(input.value)}", output)
        return _described(input, output)


class Strings:
    """One string a key, empty at first, with append: the store of the classic key-value histories."""

    def initial(self) -> str:
        """The empty string."""
        return ""

    def step(self, state: str, input: StringInput, output: Answer | None, /) -> tuple[bool, str]:
        """A read tells the whole string, a write replaces it, append makes it longer."""
        if isinstance(input, Read):
            return output is None or _tells(output, state), state
        is_legal = output is not Done.FAILED
        return is_legal, state + input.value if isinstance(input, Append) else str(input.value)

    def is_read(self, input: StringInput, output: Answer | None, /) -> bool:
        """Reads alone."""
        return isinstance(input, Read)

    def is_out_of_reach(self, state: str, input: StringInput, output: Answer, /) -> bool:
        """A string that does not begin with this one was read before it, or after a write."""
        return isinstance(output, Got) and not str(output.value).startswith(state)

    def is_way_back(self, reset: StringInput, input: StringInput, output: Answer, /) -> bool:
        """A write of what the string that was read begins with."""
        return isinstance(reset, Write) and not self.is_out_of_reach(str(reset.value), input, output)

    def partition(self, input: StringInput, /) -> Hashable:
        """Each key is a string of its own."""
        return input.key

    def describe(self, input: StringInput, output: Answer | None, /) -> str:
        """As in `append k "b"`, `read k "ab"`."""
        if isinstance(input, Append):
            return _told(f"append {_words(input.key)}{_value(input.value)}", output)
        return _described(input, output)


class Elements:
    """One set that only grows, with reads of all of it."""

    def initial(self) -> frozenset[str]:
        """The empty set."""
        return frozenset()

    def step(
        self, state: frozenset[str], input: SetInput, output: Answer | None, /
    ) -> tuple[bool, frozenset[str]]:
        """A read tells all elements."""
        if isinstance(input, Read):
            return output is None or _tells(output, state), state
        return output is not Done.FAILED, state | {input.element}

    def is_read(self, input: SetInput, output: Answer | None, /) -> bool:
        """Reads alone."""
        return isinstance(input, Read)

    def is_out_of_reach(self, state: frozenset[str], input: SetInput, output: Answer, /) -> bool:
        """A set that lacks one of these elements was read before it was added."""
        return isinstance(output, Got) and isinstance(output.value, frozenset) and not state <= output.value

    def is_way_back(self, reset: SetInput, input: SetInput, output: Answer, /) -> bool:
        """Nothing is ever taken out."""
        return False

    def partition(self, input: SetInput, /) -> Hashable:
        """There is one set."""
        return None

    def describe(self, input: SetInput, output: Answer | None, /) -> str:
        """As in `add b`, `read {a, b}`."""
        if isinstance(input, Add):
            return _told(f"add {input.element}", output)
        return _described(input, output)


class Lock:
    """One lock a name: taken when it is free, given back when it is held."""

    def initial(self) -> bool:
        """Free."""
        return False

    def step(self, state: bool, input: LockInput, output: Done | None, /) -> tuple[bool, bool]:
        """Taking a held lock and giving back a free one are not legal; without an answer they change nothing."""
        is_free_to_do = state == isinstance(input, Release)
        is_legal = output is None or is_free_to_do == (output is Done.OK)
        return is_legal, not state if is_free_to_do else state

    def is_read(self, input: LockInput, output: Done | None, /) -> bool:
        """Attempts that are known to have failed."""
        return output is Done.FAILED

    def partition(self, input: LockInput, /) -> Hashable:
        """Each name is a lock of its own."""
        return input.name

    def describe(self, input: LockInput, output: Done | None, /) -> str:
        """As in `acquire`, `release`."""
        verb = "acquire" if isinstance(input, Acquire) else "release"
        return _told(f"{verb} {_words(input.name)}".rstrip(), output)


def _tells(output: Answer, state: Hashable) -> bool:
    return isinstance(output, Got) and output.value == state


def _described(input: Read | Write, output: Answer | None) -> str:
    if isinstance(input, Write):
        return _told(f"write {_words(input.key)}{_value(input.value)}", output)
    got = _value(output.value) if isinstance(output, Got) else "?"
    return f"read {_words(input.key)}{got}"


def _words(key: str) -> str:
    return f"{key} " if key else ""


def _value(value: Hashable) -> str:
    if value is None:
        return "nil"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    return str(value)


def _told(words: str, output: Answer | None) -> str:
    if output is None:
        return f"{words} ?"
    return f"{words} failed" if output is Done.FAILED else words
