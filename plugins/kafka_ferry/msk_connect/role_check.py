"""What was found out about a service role, and what was not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kafka_ferry.msk_connect.role_problem import RoleProblem

#: What nobody looked at, said with every answer.
NOT_SEEN = "resource policies and resource control policies are not seen"


@dataclass(frozen=True)
class RoleCheck:
    """The answer for one role.

    :param done: what was asked, for people. ``skipped``: what IAM did not let us see, with its words.
    :param not_asked: what nobody wanted to know.
    """

    problems: tuple[RoleProblem, ...] = ()
    done: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        """In one line."""
        parts = [*self.done, *(f"skipped: {one}" for one in self.skipped), *self.not_asked]
        return "; ".join([*parts, NOT_SEEN] if self.done else parts)
