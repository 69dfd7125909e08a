"""JSON trees to objects and back, without loss.

A table for each class is built from its annotations at first use: JSON name, decoder, encoder. Values are
taken as they are or refused, never coerced. What a class has no attribute for goes to its `extra`; so does what
stands in the tree but means the same as absent (null, "", 0, [], {} where Go would leave them out), so that
encode(decode(tree)) == tree to the last empty list.

An own codec, not cattrs: of what cattrs does (dispatch on annotations) too little was left once extras, carried
empties, times, quantities and Kubernetes' paths in errors were hooks of ours.

Called by: the API server at its door, scenarios when they read manifests, the recordings' player.
Not modelled: times are written in UTC with Kubernetes' precision, whatever offset they were read with.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import (
    Annotated,
    Any,
    Final,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs

from chaoskube.models.objects.fields import json_name
from chaoskube.models.objects.frozen import EMPTY, FrozenDict, Tree, freeze, thaw
from chaoskube.models.objects.kinds import class_of
from chaoskube.models.objects.managed.managers import Managers
from chaoskube.models.objects.meta import GenericObject, KubeObject, ObjectMeta
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.sharing import share, share_json
from chaoskube.models.objects.times import micro_time_text, microsecond, parse_time, second, time_text
from chaoskube.sim import UsageError

__all__ = ["DecodeError", "decode", "decode_as", "encode", "freeze", "thaw"]

T = TypeVar("T")
Decoder: TypeAlias = Callable[[Any], Any]
Encoder: TypeAlias = Callable[[Any], Any]


class DecodeError(UsageError):
    """A value of the wrong kind: `path` says where, `message` what was expected."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message

    def under(self, step: str) -> DecodeError:
        """The same error, seen from one level further out."""
        if not self.path:
            return DecodeError(self.message, step)
        return DecodeError(self.message, step + self.path if self.path[0] == "[" else f"{step}.{self.path}")


def decode(tree: Mapping[str, Any]) -> KubeObject:
    """The object of its own apiVersion and kind; a kind without a class becomes a GenericObject."""
    api_version, kind = tree.get("apiVersion"), tree.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        raise DecodeError("an object needs apiVersion and kind, both text")
    cls = class_of(api_version, kind)
    if cls is not None:
        return _table(cls).decode(tree)  # type: ignore[no-any-return]  # one table for all classes
    metadata = tree.get("metadata")
    content = {key: freeze(value) for key, value in tree.items() if key not in _HEAD}
    carried = {"metadata": None} if metadata is None and "metadata" in tree else {}
    try:
        return GenericObject(
            api_version=api_version,
            kind=kind,
            metadata=_table(_META).decode({} if metadata is None else metadata),
            content=FrozenDict(content),
            extra=FrozenDict(carried),
        )
    except DecodeError as error:
        raise error.under("metadata") from error


def decode_as(cls: type[T], tree: Mapping[str, Any]) -> T:
    """A part of an object, such as a PodTemplateSpec, from its tree."""
    return cast(T, _table(cls).decode(tree))


def encode(obj: object, *, carried: bool = True) -> Tree:
    """The plain JSON tree of an object or of a part of one; a private copy.

    Without `carried`, what stood there and meant absent is left out, as Go leaves it out.
    """
    if not isinstance(obj, GenericObject):
        return _table(type(obj), carried=carried).encode(obj)
    tree: Tree = {"apiVersion": obj.api_version, "kind": obj.kind}
    metadata = _table(_META).encode(obj.metadata)
    if metadata or "metadata" not in obj.extra:
        tree["metadata"] = metadata
    tree.update(thaw(obj.extra))
    tree.update(thaw(obj.content))
    return tree


_HEAD: Final = frozenset({"apiVersion", "kind", "metadata"})
_META: Final = ObjectMeta


@attrs.frozen(kw_only=True)
class _Field:
    """How one attribute stands in JSON."""

    attribute: str
    name: str
    reading: tuple[str, object, Decoder, bool]  # attribute, the type taken as it is, decoder, is_struct
    encode: Encoder | None
    default: object
    is_written: bool
    is_text: bool  # "" means absent
    is_struct: bool
    holds_struct: bool  # also one that may be absent


class _Table:
    """The codec of one class."""

    def __init__(self, cls: type, *, carried: bool) -> None:
        self.carried = carried
        hints = get_type_hints(cls, include_extras=True)
        self.cls = cls
        self.fields = [
            _field(attribute, hints[attribute.name], carried=carried)
            for attribute in attrs.fields(cls)
            if attribute.init and attribute.name != "extra"
        ]
        self.by_name = {field.name: field for field in self.fields}
        self.is_shared = bool(getattr(cls, "SHARED", False))
        self.structs = tuple(field.attribute for field in self.fields if field.holds_struct)
        self.plan = [(f.name, f.default, f.encode, f.is_written, f.is_text, f.is_struct) for f in self.fields]
        self.values_of = _values_of([field.attribute for field in self.fields])

    def decode(self, tree: Mapping[str, Any]) -> Any:
        if type(tree) is not dict and not isinstance(tree, Mapping):
            raise DecodeError(f"must be a mapping, is {_kind_of(tree)}")
        values: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        fields = self.by_name
        for name, value in tree.items():
            field = fields.get(name)
            if field is None:
                extra[name] = freeze(value)
                continue
            attribute, plain, decode_value, is_struct = field.reading
            if type(value) is plain:
                decoded = value
            elif value is None:
                if not field.is_written or field.default is not None and field.default != ():
                    extra[name] = None
                continue
            else:
                try:
                    decoded = decode_value(value)
                except DecodeError as error:
                    raise error.under(name) from None
            if (not value or is_struct) and _means_absent(field, decoded):
                extra[name] = freeze(value)
            else:
                values[attribute] = decoded
        if extra:
            values["extra"] = share_json(FrozenDict(extra))
        result = self.cls(**values)
        return share(result) if self.is_shared and not extra and _is_plain(result) else result

    def encode(self, obj: object) -> Tree:
        tree: Tree = {}
        for (name, default, encoder, is_written, is_text, is_struct), value in zip(
            self.plan, self.values_of(obj), strict=True
        ):
            if value is None or value is default or not value or is_struct and value == default:
                if is_written:
                    tree[name] = _empty(value, encoder)
                    continue
                if value is None or value is default or is_text or value == default:
                    continue
            tree[name] = value if encoder is None else encoder(value)
        extra: FrozenDict[str, Any] = getattr(obj, "extra", EMPTY)
        for name, value in extra.items():
            if name not in tree and (self.carried or name not in self.by_name and value is not None):
                tree[name] = thaw(value)
        return tree


def _values_of(names: list[str]) -> Callable[[object], tuple[Any, ...]]:
    """The attributes of an object, all at once."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda obj: tuple([getattr(obj, name) for name in names])


def _means_absent(field: _Field, decoded: object) -> bool:
    if field.is_written:
        return decoded == ()  # [] where Go writes null: carried as it stood
    return field.is_text or decoded == field.default


def _empty(value: object, encoder: Encoder | None) -> object:
    if value is None or value == ():
        return None
    return value if encoder is None else encoder(value)


_tables: dict[type, _Table] = {}  # filled once, the same for all worlds
_tidy_tables: dict[type, _Table] = {}


def _table(cls: type, *, carried: bool = True) -> _Table:
    tables = _tables if carried else _tidy_tables
    table = tables.get(cls)
    if table is None:
        table = tables[cls] = _Table(cls, carried=carried)
    return table


def _field(attribute: attrs.Attribute[Any], hint: object, *, carried: bool) -> _Field:
    decode_value, encode_value, is_struct = _codec(hint, carried)
    metadata = attribute.metadata
    inner = _strip(hint)
    plain = inner if inner in _PLAIN else None
    return _Field(
        attribute=attribute.name,
        name="apiVersion" if attribute.name == "api_version" else json_name(attribute.name),
        reading=(attribute.name, plain, decode_value, is_struct and attribute.default is not None),
        encode=encode_value,
        default=attribute.default
        if is_struct or not attribute.default
        else None,  # kind has a default, and is written
        is_written=bool(metadata.get("written")),
        is_text=inner is str and attribute.default is None and not metadata.get("pointer"),
        is_struct=is_struct and attribute.default is not None,
        holds_struct=is_struct,
    )


def _is_plain(value: Any) -> bool:
    """Whether nothing below is carried: such values are equal only if their JSON is the same."""
    for attribute in _table(type(value)).structs:
        part = getattr(value, attribute)
        if part is not None and (part.extra or not _is_plain(part)):
            return False
    return True


def _strip(hint: object) -> object:
    """The hint without `| None`; a union of more than one stays."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [arm for arm in get_args(hint) if arm is not type(None)]
        return inner[0] if len(inner) == 1 else "int-or-string"
    return hint


def _codec(hint: object, carried: bool) -> tuple[Decoder, Encoder | None, bool]:
    """Decoder, encoder (None: as it is) and whether the value is a struct."""
    inner = _strip(hint)
    if inner is Any:
        return freeze, thaw, False
    if get_origin(inner) is Annotated:
        return (
            (_time, time_text, False)
            if get_args(inner)[1] == "time"
            else (_micro_time, micro_time_text, False)
        )
    if inner == "int-or-string":
        return _int_or_string, None, False
    if inner in _PLAIN:
        return _PLAIN[inner], None, False
    if inner is Managers:
        return Managers.decode, Managers.encode, False
    if inner is Quantity:
        return _quantity, _raw if carried else _canonical, False
    if get_origin(inner) is tuple:
        decode_item, encode_item, _ = _codec(get_args(inner)[0], carried)
        share_items = get_args(inner)[0] is str or getattr(get_args(inner)[0], "SHARED", False)
        return _list_decoder(decode_item, share_items=share_items), _list_encoder(encode_item), False
    if get_origin(inner) is FrozenDict:
        decode_item, encode_item, _ = _codec(get_args(inner)[1], carried)
        share_map = get_args(inner)[1] in (str, Quantity)
        return _map_decoder(decode_item, share_map=share_map), _map_encoder(encode_item), False
    table = _table(cast(type, inner), carried=carried)
    return table.decode, table.encode, True


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise DecodeError(f"must be text, is {_kind_of(value)}")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DecodeError(f"must be a whole number, is {_kind_of(value)}")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise DecodeError(f"must be true or false, is {_kind_of(value)}")
    return value


def _int_or_string(value: object) -> int | str:
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        raise DecodeError(f"must be a whole number or text, is {_kind_of(value)}")
    return value


_PLAIN: Final[Mapping[object, Decoder]] = {str: _string, int: _integer, bool: _boolean}


def _time(value: object) -> int:
    return second(_moment(value))


def _micro_time(value: object) -> int:
    return microsecond(_moment(value))


def _moment(value: object) -> int:
    try:
        return parse_time(_string(value))
    except DecodeError:
        raise
    except UsageError as error:
        raise DecodeError(str(error)) from error


def _quantity(value: object) -> Quantity:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise DecodeError(f"must be a quantity such as 500m or 2Gi, is {_kind_of(value)}")
    try:
        return _known_quantity(value)
    except UsageError as error:
        raise DecodeError(str(error)) from error


@lru_cache(maxsize=4096, typed=True)  # typed: 1 and 1.0 are equal keys, and different texts
def _known_quantity(value: str | float) -> Quantity:
    return Quantity(value)


def _raw(quantity: Quantity) -> str | int | float:
    return quantity.raw


def _canonical(quantity: Quantity) -> str:
    return quantity.canonical()


def _list_decoder(decode_item: Decoder, *, share_items: bool) -> Decoder:
    def decode_list(value: object) -> tuple[Any, ...]:
        if type(value) is not list and not isinstance(value, tuple):
            raise DecodeError(f"must be a list, is {_kind_of(value)}")
        items = []
        for item in value:
            try:
                items.append(decode_item(item))
            except DecodeError as error:
                raise error.under(f"[{len(items)}]") from None
        if share_items and not any(getattr(item, "extra", EMPTY) for item in items):
            return share(tuple(items))
        return tuple(items)

    return decode_list


def _list_encoder(encode_item: Encoder | None) -> Encoder:
    return list if encode_item is None else lambda items: [encode_item(item) for item in items]


def _map_decoder(decode_item: Decoder, *, share_map: bool) -> Decoder:
    def decode_map(value: object) -> FrozenDict[str, Any]:
        if not isinstance(value, Mapping):
            raise DecodeError(f"must be a mapping, is {_kind_of(value)}")
        items = {}
        for name, item in value.items():
            try:
                items[name] = decode_item(item)
            except DecodeError as error:
                raise error.under(name) from None
        if not items:
            return EMPTY
        return share(FrozenDict(items)) if share_map else FrozenDict(items)

    return decode_map


def _map_encoder(encode_item: Encoder | None) -> Encoder:
    if encode_item is None:
        return dict
    return lambda items: {name: encode_item(item) for name, item in items.items()}


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text ({value!r})" if len(value) <= 40 else "text"
    if isinstance(value, (int, float)):
        return f"a number ({value!r})"
    return "a mapping" if isinstance(value, Mapping) else "a list"
