"""What was found out about a service role, and what was not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kafka_ferry.jobs.runtimes.service_role.rules.role_problem import RoleProblem

#: What nobody looked at, said with every answer.
NOT_SEEN = "resource policies and resource control policies are not checked"


@dataclass(frozen=True)
class RoleCheck:
    """The answer for one role.

    :param done: what was asked, for people. ``skipped``: what IAM did not let us see, with its words.
    :param not_asked: what nobody wanted to know.
    :param final: there is no role to ask more about.
    """

    problems: tuple[RoleProblem, ...] = ()
    done: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    final: bool = False

    def and_also(self, other: RoleCheck) -> RoleCheck:
        """Both together."""
        return RoleCheck(
            self.problems + other.problems,
            self.done + other.done,
            self.skipped + other.skipped,
            self.not_asked + other.not_asked,
            other.final,
        )

    @property
    def detail(self) -> str:
        """In one line."""
        parts = [*self.done, *(f"skipped: {one}" for one in self.skipped), *self.not_asked]
        return "; ".join([*parts, NOT_SEEN] if self.done else parts)
