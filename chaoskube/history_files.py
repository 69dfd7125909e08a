"""Reads the two kinds of history files that the field passes round, and says where one is malformed.

- *register logs* (Jepsen): `INFO  jepsen.util - PROCESS  :invoke|:ok|:fail|:info  :read|:write|:cas  VALUE`, one event
  a line, for one register with compare-and-set;
- *string logs* (porcupine's key-value data): `{:process 1, :type :invoke, :f :append, :key "0", :value "x"}`, one
  event a line, for strings with get, put and append.

The place of a line in the file is the only clock. `history_in` knows which kind a file is from its first line. Each
call ends in a line of its own in both, so a file that ends before that was cut off, and is refused. `check_linearizability` of
`linearizability.py` judges what is read; `tests/histories` does so for whole folders.

Not modelled: a read that timed out (`:fail :read`): it changes nothing and tells nothing, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from attrs import frozen

from chaoskube.history import Operation
from chaoskube.linearizability import Result, check_linearizability
from chaoskube.sequential import (
    Answer,
    Append,
    CompareAndSet,
    Done,
    Got,
    Model,
    Read,
    Register,
    RegisterInput,
    StringInput,
    Strings,
    Write,
)
from chaoskube.sim import UsageError

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")

_REGISTER_LINE = re.compile(
    r"INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.+)"
)
_REGISTER_SHAPE = "INFO jepsen.util - PROCESS :invoke|:ok|:fail|:info :read|:write|:cas VALUE"
_STRING_LINE = re.compile(
    r'\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key "([^"]*)", :value (nil|"[^"]*")\}'
)
_STRING_SHAPE = '{:process N, :type :invoke|:ok, :f :get|:put|:append, :key "K", :value nil|"V"}'
_INTEGERS = {"write": re.compile(r"(-?\d+)"), "cas": re.compile(r"\[(-?\d+) (-?\d+)\]")}


@frozen(kw_only=True)
class History(Generic[State, Input, Output]):
    """Operations, and the model that they are to be judged by."""

    kind: str
    model: Model[State, Input, Output]
    operations: tuple[Operation[Input, Output], ...]

    def check(self) -> Result[Input, Output]:
        """The verdict on it, within the usual bounds."""
        return check_linearizability(self.model, self.operations)


RegisterHistory = History[Hashable, RegisterInput, Answer]
StringHistory = History[str, StringInput, Answer]


def history_in(path: Path) -> RegisterHistory | StringHistory:
    """The history in a file of either kind."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}: byte {error.start} is no UTF-8; histories are text files") from error
    lines = _lines(path.name, text)
    if is_register_log(text):
        operations = register_operations(path.name, lines)
        return History(kind="register", model=Register(), operations=operations)
    if is_string_log(text):
        return History(kind="strings", model=Strings(), operations=string_operations(path.name, lines))
    raise UsageError(
        f"{path.name}:1: {lines[0][:60]!r} begins no known history; expected {_REGISTER_SHAPE!r} or {_STRING_SHAPE!r}"
    )


def is_register_log(text: str) -> bool:
    """Whether a text looks like a Jepsen log of a register."""
    return re.match(r"INFO\s+jepsen", text) is not None


def is_string_log(text: str) -> bool:
    """Whether a text looks like a key-value log."""
    return text.startswith("{:process")


def register_operations(name: str, lines: Sequence[str]) -> tuple[Operation[RegisterInput, Answer], ...]:
    """The operations of a Jepsen log; `name` is what complaints call it."""
    calls: _Calls[RegisterInput] = _Calls(name)
    for number, line in enumerate(lines, start=1):
        match = _REGISTER_LINE.fullmatch(line.strip())
        if match is None:
            raise UsageError(f"{name}:{number}: {line!r} is no event; expected {_REGISTER_SHAPE!r}")
        process, event, function, value = match.groups()
        if event == "invoke":
            calls.begin(process, number, function, _register_input(name, number, function, value))
        elif function == "read" and event != "ok":
            calls.forget(process, number, function)
        elif event == "info":
            calls.end(process, number, function, None)
        elif event == "fail" and function != "cas":
            raise UsageError(
                f"{name}:{number}: a failed {function} has no meaning here; :ok or :info is expected"
            )
        else:
            output = _register_output(name, number, function, event, value)
            begun = calls.end(process, number, function, output)
            if function != "read":
                _same(name, number, begun, _register_input(name, number, function, value))
    return calls.operations(len(lines))


def string_operations(name: str, lines: Sequence[str]) -> tuple[Operation[StringInput, Answer], ...]:
    """The operations of a key-value log; `name` is what complaints call it."""
    calls: _Calls[StringInput] = _Calls(name)
    for number, line in enumerate(lines, start=1):
        match = _STRING_LINE.fullmatch(line.strip())
        if match is None:
            raise UsageError(f"{name}:{number}: {line!r} is no event; expected {_STRING_SHAPE!r}")
        process, event, function, key, value = match.groups()
        if value == "nil" and (event, function) != ("invoke", "get"):
            raise UsageError(
                f'{name}:{number}: :{event} :{function} has the value nil; expected a string "..."'
            )
        input = _string_input(function, key, value[1:-1])
        if event == "invoke":
            calls.begin(process, number, function, input)
        else:
            output = Got(value=value[1:-1]) if function == "get" else Done.OK
            _same(name, number, calls.end(process, number, function, output), input)
    return calls.operations(len(lines))


@frozen(kw_only=True)
class _Call(Generic[Input]):
    """A call whose end has not been read yet."""

    number: int
    function: str
    input: Input


class _Calls(Generic[Input]):
    """Pairs the line in which a call begins with that in which it ends."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: dict[str, _Call[Input]] = {}
        self._done: list[Operation[Input, Answer]] = []

    def begin(self, process: str, number: int, function: str, input: Input) -> None:
        """A process calls; it does one thing at a time."""
        if process in self._open:
            raise UsageError(
                f"{self._name}:{number}: process {process} calls again, but its call in line"
                f" {self._open[process].number} has not ended; a process does one thing at a time"
            )
        self._open[process] = _Call(number=number, function=function, input=input)

    def end(self, process: str, number: int, function: str, output: Answer | None) -> Input:
        """The call got its answer, or (None) will never get one; what it was."""
        call = self._take(process, number, function)
        self._done.append(
            Operation(
                client=process,
                input=call.input,
                output=output,
                call=call.number,
                returned=number if output is not None else None,
            )
        )
        return call.input

    def forget(self, process: str, number: int, function: str) -> None:
        """The call ended without any effect."""
        self._take(process, number, function)

    def operations(self, last: int) -> tuple[Operation[Input, Answer], ...]:
        """All calls, in the order in which they were made; none may be open."""
        if self._open:
            process, call = min(self._open.items(), key=lambda one: one[1].number)
            raise UsageError(
                f"{self._name}:{last}: the file ends while the call of process {process} in line {call.number} is open;"
                " it was cut off, or lacks the line in which that call ends"
            )
        return tuple(sorted(self._done, key=lambda operation: operation.call))

    def _take(self, process: str, number: int, function: str) -> _Call[Input]:
        call = self._open.pop(process, None)
        if call is None or call.function != function:
            began = f"called :{call.function} in line {call.number}" if call else "has called nothing"
            raise UsageError(
                f"{self._name}:{number}: :{function} of process {process} ends here, but the process {began};"
                " each call is one :invoke and one line in which it ends"
            )
        return call


def _lines(name: str, text: str) -> list[str]:
    """The lines of a file that is whole."""
    if not text.strip():
        raise UsageError(f"{name}: the file is empty; a history has at least one event")
    lines = text.split("\n")
    if lines[-1]:
        raise UsageError(
            f"{name}:{len(lines)}: {lines[-1]!r} is not ended by a line break; the file was cut off in this line"
        )
    return lines[:-1]


def _register_input(name: str, number: int, function: str, value: str) -> RegisterInput:
    if function == "read":
        return Read()
    match = _INTEGERS[function].fullmatch(value)
    if match is None:
        shape = "one integer" if function == "write" else "[FROM TO]"
        raise UsageError(f"{name}:{number}: the value of :{function} is {value!r}; expected {shape}")
    integers = [int(one) for one in match.groups()]
    if function == "write":
        return Write(value=integers[0])
    return CompareAndSet(expected=integers[0], value=integers[1])


def _register_output(name: str, number: int, function: str, event: str, value: str) -> Answer:
    if function != "read":
        return Done.OK if event == "ok" else Done.FAILED
    if value != "nil" and not re.fullmatch(r"-?\d+", value):
        raise UsageError(f"{name}:{number}: the read told {value!r}; expected an integer or nil")
    return Got(value=None if value == "nil" else int(value))


def _string_input(function: str, key: str, value: str) -> StringInput:
    if function == "get":
        return Read(key=key)
    return Write(key=key, value=value) if function == "put" else Append(key=key, value=value)


def _same(name: str, number: int, begun: object, ended: object) -> None:
    if begun != ended:
        raise UsageError(
            f"{name}:{number}: {ended} ends here, but {begun} was called; both lines must say the same"
        )
