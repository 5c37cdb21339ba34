"""Glushkov's automaton of a part of an expression, and whether a loop of it can read one text in two ways. Pure.

Weber and Seidl 1991, on the ambiguity of automata: a state that leads to itself by two paths of one word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_PAIRS = 60_000  # of positions in a loop
_Pair = tuple[int, int]


class Endless(Exception):
    """The ways grow exponentially."""


@dataclass
class Ends:
    """Of a part of an expression, as Glushkov's automaton has it; numbers of ways, 2 stands for more.

    :param empty: ways to read nothing. ``first``, ``last``: position to ways. ``follow``: pair of positions to ways.
    """

    empty: int
    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)
    follow: Counter[tuple[int, int]] = field(default_factory=Counter)

    def then(self, other: Ends) -> Ends:
        """What is read by this part and then the other."""
        _refuse_many(len(self.last) * len(other.first))
        follow = self.follow + other.follow
        for p, a in self.last.items():
            for q, b in other.first.items():
                follow[p, q] += a * b
        first = self.first + Counter({q: self.empty * n for q, n in other.first.items() if self.empty})
        last = other.last + Counter({p: other.empty * n for p, n in self.last.items() if other.empty})
        return Ends(min(2, self.empty * other.empty), first, last, follow)

    def take_beside(self, other: Ends) -> None:
        """Become what can be read as either of the two."""
        self.empty = min(2, self.empty + other.empty)
        self.first.update(other.first)
        self.last.update(other.last)
        self.follow.update(other.follow)

    def again(self) -> Ends:
        """What is read by this part as often as wanted, or not at all."""
        _refuse_many(len(self.last) * len(self.first))
        follow = self.follow.copy()
        for p, a in self.last.items():
            for q, b in self.first.items():
                follow[p, q] += a * b
        return Ends(min(2, 1 + self.empty), self.first, self.last, follow)


def _refuse_many(pairs: int) -> None:
    if pairs > _PAIRS:
        raise Endless  # more than can be looked at


def refuse_endless(ends: Ends, positions: list[int]) -> None:
    """:raises Endless: a text leads from a position to itself by two paths."""
    edges: dict[int, list[int]] = {}
    for (p, q), ways in ends.follow.items():
        if positions[p] and positions[q]:
            if ways > 1:
                raise Endless
            edges.setdefault(p, []).append(q)
    # Two walks at once, by the same characters: from one position, apart, and together again.
    together = [(p, p) for p in edges]
    before: dict[_Pair, list[_Pair]] = {}
    for pair, others in _walks(together, edges, positions).items():
        for other in others:
            before.setdefault(other, []).append(pair)
    waiting, back = together, set[_Pair]()
    while waiting:
        new = set(before.get(waiting.pop(), ())) - back
        if any(p != q for p, q in new):
            raise Endless
        back |= new
        waiting += new


def _walks(begun: list[_Pair], edges: Mapping[int, list[int]], positions: list[int]) -> dict[_Pair, list[_Pair]]:
    """Every pair of positions that two walks come to, and where they may go on from it.

    :raises Endless: too many to look at.
    """
    after: dict[_Pair, list[_Pair]] = {}
    waiting = list(begun)
    while waiting:
        pair = waiting.pop()
        if pair in after:
            continue
        if len(after) > _PAIRS:
            raise Endless
        ways = [(a, b) for a in edges.get(pair[0], ()) for b in edges.get(pair[1], ()) if positions[a] & positions[b]]
        after[pair] = [(min(way), max(way)) for way in ways]
        waiting += after[pair]
    return after
