"""Params about what is around the records: who may do what on the clusters, and how much. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.principals import name_problem
from kafka_ferry.core.spec import Regex
from kafka_ferry.exceptions import BadParam

# No examples where a param goes only with another's value: a form suggests each for itself.
#: Section of the form.
AROUND: JsonDict = {"section": "Around the records"}


class Acls(StrEnum):
    """What is done about ACLs: nothing, compare, or make those that are missing and compare."""

    CHECK = "check"
    COPY = "copy"
    SKIP = "skip"


class AclScope(StrEnum):
    """Which ACLs: what MirrorMaker 2 would carry, or every one of the source."""

    TOPICS = "topics"
    CLUSTER = "cluster"


class Quotas(StrEnum):
    """What is done about client quotas: nothing, compare, or set what the source has and compare."""

    CHECK = "check"
    COPY = "copy"
    SKIP = "skip"


class ScramUsers(StrEnum):
    """What is done about SCRAM users: nothing, compare, or make those that a password is given for and compare."""

    CHECK = "check"
    CREATE = "create"
    SKIP = "skip"


class SchemaIds(StrEnum):
    """What is done about the schemas of a registry: nothing, or carry them with their ids, or under others."""

    NONE = "none"
    KEEP = "keep"
    MAP = "map"


AclsParam = Annotated[
    Acls,
    Field(
        title="ACLs",
        description=(
            "check: the ACLs of the topics must be on the target; copy: create them there, producers' ones excepted; "
            "skip: not compared. Which ones: the scope of ACLs."
        ),
        json_schema_extra=AROUND,
    ),
]
AclScopeParam = Annotated[
    AclScope,
    Field(
        title="Scope of ACLs",
        description=(
            "topics: those on the topics by their full names, as MirrorMaker 2 would carry them; cluster: every ACL of "
            "the source, of all resources, prefixes and WRITE too."
        ),
        json_schema_extra=AROUND,
    ),
]
DeleteAclsOf = Annotated[
    list[Regex],
    Field(
        title="Delete ACLs of",
        description=(
            "Regular expressions, one per line, that match whole principals of the target, such as User:app-.*: their "
            "ACLs that the source does not have are deleted, never our own user's. Empty: nothing is deleted."
        ),
        json_schema_extra=AROUND,
    ),
]
PrincipalsParam = Annotated[
    dict[Regex, str],
    Field(
        title="Principals",
        description=(
            "A regular expression that matches a whole principal of the source, to its name on the target; empty: left "
            "out. For ACLs, quotas and SCRAM users. What none matches keeps its name."
        ),
        examples=[{"User:CN=([^,]+),.*": "User:\\1"}, {"User:old-.*": ""}],
        json_schema_extra=AROUND,
    ),
]
QuotasParam = Annotated[
    Quotas,
    Field(
        title="Quotas",
        description=(
            "Client quotas are the cluster's. check: those that differ on the target are named; copy: set there as on "
            "the source, none taken away; skip: not compared."
        ),
        json_schema_extra=AROUND,
    ),
]


ScramUsersParam = Annotated[
    ScramUsers,
    Field(
        title="SCRAM users",
        description=(
            "check: users of the source that the target lacks are named; create: those made that scram_conn_id has a "
            "password for; skip: not compared. Kafka does not reveal passwords."
        ),
        json_schema_extra=AROUND,
    ),
]
ScramConnection = Annotated[
    str | None,
    Field(
        title="Passwords of SCRAM users",
        description=(
            "Airflow connection, such as kafka_target_users, whose password is a JSON object: names of users on the "
            "target to their new passwords."
        ),
        json_schema_extra=AROUND,
    ),
]
SourceRegistry = Annotated[
    str | None,
    Field(
        title="Source schema registry",
        description=(
            "Airflow connection of type http, such as registry_source; of type aws: AWS Glue. With it, and that of the "
            "target, every schema id in the records is looked up in both: it has to mean the same. Empty: not looked "
            "at."
        ),
        json_schema_extra=AROUND,
    ),
]
TargetRegistry = Annotated[
    str | None,
    Field(
        title="Target schema registry",
        description="Airflow connection of type http or aws, such as registry_target: what readers of the target use.",
        json_schema_extra=AROUND,
    ),
]


SchemaIdsParam = Annotated[
    SchemaIds,
    Field(
        title="Carry schemas",
        description=(
            "Before the copy all schemas of the source registry are registered at the target's, of type http. keep: "
            "with their ids and versions (mode IMPORT), not from AWS Glue; map: the target gives ids, records keep "
            "theirs; none: nothing is written."
        ),
        json_schema_extra=AROUND,
    ),
]


class Around(Protocol):
    """The params of this file."""

    @property
    def acls(self) -> Acls: ...
    @property
    def acl_scope(self) -> AclScope: ...
    @property
    def delete_acls_of(self) -> list[str]: ...
    @property
    def principals(self) -> dict[str, str]: ...
    @property
    def scram_users(self) -> ScramUsers: ...
    @property
    def scram_conn_id(self) -> str | None: ...
    @property
    def source_registry_conn_id(self) -> str | None: ...
    @property
    def target_registry_conn_id(self) -> str | None: ...
    @property
    def schema_ids(self) -> SchemaIds: ...


def proves_schemas(spec: Around) -> bool:
    """Whether the ids of schemas in the records are looked up."""
    return bool(spec.source_registry_conn_id and spec.target_registry_conn_id)


def check_around(spec: Around) -> None:
    """Validate what types cannot say.

    :raises BadParam: a principal's name that cannot be one; users to be made, and no passwords, or the other way round;
        one schema registry.
    """
    if spec.delete_acls_of and (spec.acls is not Acls.COPY or spec.acl_scope is not AclScope.CLUSTER):
        raise BadParam(
            "delete_acls_of", f"is given, but acls is {spec.acls.value} and acl_scope {spec.acl_scope.value}",
            "acls: copy with acl_scope: cluster; or leave it out",
        )  # fmt: skip
    registries = {
        "source_registry_conn_id": spec.source_registry_conn_id,
        "target_registry_conn_id": spec.target_registry_conn_id,
    }
    for name, given in registries.items():
        other = next(one for one in registries if one != name)
        if registries[other] and not given:
            raise BadParam(name, f"is empty, but {other} is given", "both, as ids are looked up in both; or neither")
    if spec.schema_ids is not SchemaIds.NONE and not proves_schemas(spec):
        raise BadParam(
            "schema_ids", f"is {spec.schema_ids.value}, but no registries are given",
            "source_registry_conn_id and target_registry_conn_id; or schema_ids: none",
        )  # fmt: skip
    scram_users, scram_conn_id = spec.scram_users, spec.scram_conn_id
    for pattern, name in spec.principals.items():
        if problem := name_problem(pattern, name):
            fix = "such as User:\\1, where \\1 is the first group of the expression; empty leaves them out"
            raise BadParam("principals", problem, fix)
    if scram_users is ScramUsers.CREATE and not scram_conn_id:
        raise BadParam("scram_conn_id", "is empty, but scram_users is create", "the connection with their passwords")
    if scram_conn_id and scram_users is not ScramUsers.CREATE:
        raise BadParam(
            "scram_conn_id", f"is given, but scram_users is {scram_users.value}, so it would have no effect",
            "scram_users: create; or leave it out",
        )  # fmt: skip
