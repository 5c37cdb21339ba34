"""Who is who: principals of the source and what they are called on the target, by expressions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kafka_ferry.core.acls import Acl

EVERYBODY = "User:*"
_USER = "User:"
_LOOKS = re.compile(r"[^:\s]+:.+")


@dataclass(frozen=True)
class Principals:
    """The first expression that matches a whole principal says what it is called on the target; an empty name leaves it
    out. What none matches keeps its name, and so does ``User:*``, which is everybody on both sides.

    :param table: expression to name, in which ``\\\\1`` is its first group.
    """

    table: Mapping[str, str] = field(default_factory=dict)

    def target(self, principal: str) -> str | None:
        """Its name on the target; None: left out."""
        if principal != EVERYBODY:
            for pattern, name in self.table.items():
                if found := re.fullmatch(pattern, principal):
                    return found.expand(name) or None
        return principal

    def user(self, name: str) -> str | None:
        """Of a user as quotas and SCRAM know it, without ``User:``; None: left out, or no user there."""
        found = self.target(f"{_USER}{name}")
        return found.removeprefix(_USER) if found and found.startswith(_USER) else None

    def acls(self, acls: Iterable[Acl]) -> list[Acl]:
        """With the target's principals, also where a user is the resource; those of who is left out are not there."""
        found = []
        for acl in acls:
            name = self.target(acl.principal)
            about = self.target(acl.name) if acl.resource == "USER" and acl.name != "*" else acl.name
            if name and about:
                found.append(replace(acl, principal=name, name=about))
        return found

    def unmatched(self, principals: Iterable[str]) -> list[str]:
        """Expressions that match none of these: most likely misspelt."""
        there = set(principals)
        return [pattern for pattern in self.table if not any(re.fullmatch(pattern, one) for one in there)]


def name_problem(pattern: str, name: str) -> str | None:
    """Why this cannot be what principals that the expression matches are called; None when it can."""
    if name and not _LOOKS.fullmatch(name):
        return f"{name!r} is no principal: it has a type, such as User:{name}"
    known = re.compile(pattern)
    names = {number: word for word, number in known.groupindex.items()}
    # The same groups, which surely match: whether the name takes them shows before any principal does.
    groups = (f"(?P<{names[n]}>x)" if n in names else "(x)" for n in range(1, known.groups + 1))
    try:
        found = re.fullmatch("".join(groups), "x" * known.groups)
        if found:
            found.expand(name)
    except (re.error, IndexError) as error:
        return f"{name!r} does not go with the expression {pattern!r}: {error}"
    return None
