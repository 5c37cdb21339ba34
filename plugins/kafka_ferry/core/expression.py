"""Regular expressions that people write: whether they are ones, and fast on every name. Pure.

Python's and Java's matchers go back and try again, so that ``(a+)+b`` takes minutes on forty letters. Names come from
others, and MirrorMaker 2 and Debezium match them in a process of their own, where nothing could stop it; so an
expression is judged by itself, before any name is seen. A matcher of linear time (RE2) would know no lookahead, which
people use to leave topics out, and would bind our side only.

Judged is in how many ways a matcher may read the beginning of a name: exponentially many where a loop can read one text
in two ways (Weber and Seidl 1991, on the ambiguity of automata: a state that leads to itself by two paths of one word);
else one factor for every place where the next character does not say how to go on.
"""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kafka_ferry.core.automaton import Endless, Ends, refuse_endless

#: Characters of a name: topics have 249 at most. Three ``.*`` may have to be tried against each other, not four.
LONGEST = 249
_WAYS = LONGEST**3
#: Python's own limit is no help: libraries raise it (Airflow to 5,000, where 400 groups took 31 s).
_DEEPEST = 100
_STEPS = 10**8  # a second or two for one name (measured: 10,000 characters, two parts: 1.5 s)
_GROUPS = 8
_UNROLLED = 64  # characters of a counted repeat that are looked at one by one; longer ones are taken for endless

_CHARACTERS = ("LITERAL", "NOT_LITERAL", "ANY", "IN")

_parser: Any = importlib.import_module("re._parser")
_codes: Any = importlib.import_module("re._constants")


@functools.lru_cache(2048)
def problem_of(pattern: str, flags: int = 0) -> str | None:
    """Why an expression cannot be used; None: it can.

    :param flags: those that it is compiled with.
    """
    if _depth(pattern) > _DEEPEST:
        return f"{pattern[:60]!r}… is too deep for a regular expression"
    try:
        ways = _ways(pattern, flags)
    except re.error as error:
        return f"{pattern!r} is not a regular expression: {error}"
    except (RecursionError, OverflowError, MemoryError):
        return f"{pattern[:60]!r}… is too deep for a regular expression"
    except Endless:
        return f"{pattern!r} could take forever on a long name: a part that repeats can read one text in two ways"
    if ways > _WAYS:
        return f"{pattern!r} could take minutes on a long name: too many parts that can match at many lengths"
    return None


@functools.lru_cache(2048)
def longest_for(pattern: str, flags: int = 0) -> int:
    """How long a name may be for an expression that :func:`problem_of` takes: groups may have 32,767 characters.

    With three parts that may end anywhere the time grows with the third power of the length, with two with its square.
    """
    power = max(1.0, math.log(max(1, _ways(pattern, flags)), LONGEST))
    return max(LONGEST, int(_STEPS ** (1 / power)))


def _depth(pattern: str) -> int:
    """How deep groups stand in each other; a parenthesis in ``[…]`` may be counted, and people write few of those."""
    depth = deepest = 0
    for mark in re.findall(r"\\.|[()]", pattern, re.DOTALL):
        depth += (mark == "(") - (mark == ")")
        deepest = max(deepest, depth)
    return deepest


def _ways(pattern: str, flags: int) -> int:
    re.compile(pattern, flags)
    return _Builder(pattern, flags).tree.ways(0)


class _Part:
    """A part of an expression.

    :ivar first: characters that it can begin with, as bits. ``empty``: whether it can read nothing. ``size``: its
        characters, repeats unrolled. ``all``: characters that can be in it. ``runs``: those that it can go on with for
        as long as a name is.
    """

    first: int
    empty: bool
    size: int
    all: int
    runs: int = 0

    def ways(self, then: int) -> int:
        """In how many ways a matcher may read the beginning of a name in it.

        :param then: characters that what follows can begin with.
        """
        raise NotImplementedError

    def ends(self, positions: list[int]) -> Ends:
        """:param positions: characters of each; those of this part are added."""
        raise NotImplementedError

    def looks(self) -> int:
        """Ways of the looks ahead and behind that are in it."""
        return 1


class _Character(_Part):
    def __init__(self, characters: int) -> None:
        self.first, self.empty, self.size, self.all = characters, False, 1, characters

    def ways(self, then: int) -> int:
        return 1

    def ends(self, positions: list[int]) -> Ends:
        positions.append(self.first)
        at = len(positions) - 1
        return Ends(0, Counter([at]), Counter([at]))


class _Look(_Part):
    """Ahead, behind, or at a place such as ``\\b``: it reads nothing."""

    def __init__(self, inner: _Part | None = None) -> None:
        self.first, self.empty, self.size, self.all, self._inner = 0, True, 0, 0, inner

    def ways(self, then: int) -> int:
        return self._inner.ways(0) if self._inner else 1

    def ends(self, positions: list[int]) -> Ends:
        return Ends(1)

    def looks(self) -> int:
        return self.ways(0)


class _Sequence(_Part):
    #: Of the whole expression: the characters of a name. Of a part it is told by ``runs`` what it ends with.
    letters = 0

    def __init__(self, parts: list[_Part]) -> None:
        self._parts = parts
        self.empty = all(part.empty for part in parts)
        self.size = sum(part.size for part in parts)
        self.all = functools.reduce(lambda a, part: a | part.all, parts, 0)
        self.runs = parts[-1].runs if parts else 0
        self.first = 0
        for part in reversed(parts):
            self.first = part.first | (self.first if part.empty else 0)

    def ways(self, then: int) -> int:
        each = []
        for part in reversed(self._parts):
            each.append(part.ways(then))
            then = part.first | (then if part.empty else 0)
        found, most, before = 1, 1, 0
        for part, ways in zip(self._parts, reversed(each), strict=True):
            # What runs to its end from wherever the parts before may have ended costs its length for each way of them.
            if part.runs & before and ways == 1 and not (part is self._parts[-1] and self._reaches_the_end(part)):
                most = max(most, found * LONGEST)
            found = min(found * ways, _WAYS + 1)
            before = part.all | (before if part.empty else 0)
        return max(found, min(most, _WAYS + 1))

    def _reaches_the_end(self, last: _Part) -> bool:
        """Whatever comes: nothing is tried again behind a last ``.*``."""
        return not self.letters & ~last.runs

    def ends(self, positions: list[int]) -> Ends:
        found = Ends(1)
        for part in self._parts:
            found = found.then(part.ends(positions))
        return found

    def looks(self) -> int:
        return min(_WAYS + 1, functools.reduce(lambda a, part: a * part.looks(), self._parts, 1))


class _Choice(_Part):
    def __init__(self, parts: list[_Part]) -> None:
        self._parts = parts
        self.first = functools.reduce(lambda a, part: a | part.first, parts, 0)
        self.empty, self.size = any(part.empty for part in parts), sum(part.size for part in parts)
        self.all = functools.reduce(lambda a, part: a | part.all, parts, 0)

    def ways(self, then: int) -> int:
        begins = [part.first | (then if part.empty else 0) for part in self._parts]
        seen, shared = 0, False
        for begin in begins:
            shared, seen = shared or bool(seen & begin), seen | begin
        each = [part.ways(then) for part in self._parts]
        return sum(each) if shared else max(each)

    def ends(self, positions: list[int]) -> Ends:
        found = Ends(0)
        for part in self._parts:
            found.take_beside(part.ends(positions))
        return found

    def looks(self) -> int:
        return max(part.looks() for part in self._parts)


class _Loop(_Part):
    """As often as wanted, or not at all."""

    def __init__(self, inner: _Part, plain: bool = False) -> None:
        self._inner, self._plain = inner, plain
        self.first, self.empty, self.size = inner.first, True, inner.size
        self.all = self.runs = inner.all

    def ways(self, then: int) -> int:
        positions: list[int] = []
        refuse_endless(self._inner.ends(positions).again(), positions)
        # Without two ways in itself it can be left in as many places as a name has, where that is not clear at once.
        # A loop of groups costs a matcher several times what one of characters does (measured).
        each = LONGEST if self._plain else _GROUPS * LONGEST
        return (each if self.first & then else 1) * self._inner.looks()

    def ends(self, positions: list[int]) -> Ends:
        return self._inner.ends(positions).again()

    def looks(self) -> int:
        return self._inner.looks()


class _Builder:
    """From Python's own parser to parts. A back reference is taken for any text; flags inside hold everywhere."""

    def __init__(self, pattern: str, flags: int) -> None:
        parsed = _parser.parse(_kept_apart(pattern), flags)
        self._any_case = bool((parsed.state.flags | flags) & re.IGNORECASE) or "(?i" in pattern
        letters = {chr(code) for code in range(128)} | set("éЖ中") | set(pattern)
        letters |= {chr(literal) for literal in _literals(parsed)}
        self._letters = sorted(letters | {one for each in letters for one in each.swapcase()})
        self._known: dict[str, int] = {}
        self.tree = self._sequence(parsed)
        self.tree.letters = sum(1 << at for at, letter in enumerate(self._letters) if letter not in "\r\n")

    def _sequence(self, items: Any) -> _Sequence:
        return _Sequence([self._part(op, value) for op, value in items])

    def _part(self, op: Any, value: Any) -> _Part:
        name = str(op)
        if name in _CHARACTERS:
            return _Character(self._bits(name, value))
        if name == "BRANCH":
            return _Choice([self._sequence(items) for items in value[1]])
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(*value)
        if name in ("SUBPATTERN", "ATOMIC_GROUP"):
            return self._sequence(value[-1] if name == "SUBPATTERN" else value)
        if name in ("ASSERT", "ASSERT_NOT"):
            return _Look(self._sequence(value[1]))
        if name == "GROUPREF_EXISTS":
            return _Choice([self._sequence(value[1]), self._sequence(value[2] or [])])
        if name == "GROUPREF":
            return _Loop(_Character((1 << len(self._letters)) - 1), True)
        return _Look()  # AT, FAILURE

    def _repeat(self, least: int, most: Any, items: Any) -> _Part:
        part, plain = self._sequence(items), len(items) == 1 and str(items[0][0]) in _CHARACTERS
        size = max(part.size, 1)
        known = [part] * (int(least) if least * size <= _UNROLLED else 1)
        if int(least) * size > _UNROLLED:
            if part.empty and part.size:
                raise Endless  # which of so many are to read nothing
            return _Sequence([part, _Loop(part, plain)])
        if most is _codes.MAXREPEAT or int(most) * size > _UNROLLED:
            return _Sequence([*known, _Loop(part, plain)])
        rest: _Part = _Sequence([])
        for _ in range(int(most) - int(least)):
            rest = _Choice([_Sequence([part, rest]), _Sequence([])])
        return _Sequence([*known, rest])

    def _bits(self, name: str, value: Any) -> int:
        asked = f"{name} {value}"
        if asked not in self._known:
            takes = (1 << at for at, letter in enumerate(self._letters) if self._takes(name, value, letter))
            self._known[asked] = sum(takes)
        return self._known[asked]

    def _takes(self, name: str, value: Any, letter: str) -> bool:
        forms = {letter, letter.lower(), letter.upper()} if self._any_case else {letter}
        if name == "ANY":
            return True
        if name == "LITERAL":
            return any(form == chr(value) for form in forms)
        if name == "NOT_LITERAL":
            return letter != chr(value)
        negated = str(value[0][0]) == "NEGATE"
        found = any(_in_set(str(op), item, form) for op, item in value for form in forms)
        return (not all(_in_set_any(value, form) for form in forms)) if negated else found


def _kept_apart(pattern: str) -> str:
    """With an empty look behind every ``|``: Python's parser would make one set of ``(a|A)``, which Java's does not."""
    found, at = [], 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        text = token[0] if token else pattern[at]
        found.append("|(?=)" if text == "|" else text)
        at += len(text)
    return "".join(found)


def _in_set_any(items: Any, letter: str) -> bool:
    return any(_in_set(str(op), item, letter) for op, item in items)


def _in_set(op: str, item: Any, letter: str) -> bool:
    if op == "LITERAL":
        return bool(letter == chr(item))
    if op == "RANGE":
        return len(letter) == 1 and bool(item[0] <= ord(letter) <= item[1])
    if op == "CATEGORY":
        return re.fullmatch(_CATEGORIES[str(item)], letter) is not None
    return False


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]", re.DOTALL)
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s", "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
}  # fmt: skip


def _literals(items: Any) -> Iterator[int]:
    """Characters that an expression names, however they are written."""
    for item in items:
        if isinstance(item, tuple) and len(item) == 2 and str(item[0]) in ("LITERAL", "NOT_LITERAL"):
            yield item[1]
        elif isinstance(item, tuple) and len(item) == 2 and str(item[0]) == "RANGE":
            yield from item[1]
        elif isinstance(item, tuple | list) or type(item).__name__ == "SubPattern":
            yield from _literals(item)
