"""A Debezium config pasted as ``connector_config``: what of it params say, and what it may not say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.redaction import is_secret_key
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cdc.debezium_config import HISTORY, Database, translated

#: What the connection says; in a config that was pasted it may stand again.
CLAIMS = ("database.hostname", "database.port", "database.user")
#: Keys of Debezium that a param of ours says.
_PARAMS = {
    "topic.prefix": "topic_prefix",
    "database.server.id": "server_id",
    "database.include.list": "databases",
    "table.include.list": "tables",
    "snapshot.mode": "snapshot_mode",
    f"{HISTORY}kafka.topic": "history_topic",
}
#: What validation rests on.
_FIXED = frozenset(
    {
        "key.converter", "value.converter", "key.converter.schemas.enable", "value.converter.schemas.enable",
        "header.converter",
        "key.converter.decimal.format", "value.converter.decimal.format",
        "key.converter.replace.null.with.default", "value.converter.replace.null.with.default",
        "decimal.handling.mode", "time.precision.mode", "binary.handling.mode", "bigint.unsigned.handling.mode",
        "enable.time.adjuster", "skipped.operations", "tombstones.on.delete", "transforms", "converters",
        "message.key.columns",
    }
)  # fmt: skip
#: Families of keys by which values would be left out or altered.
_FIXED_FAMILIES = ("column.include.", "column.exclude.", "column.mask.", "column.truncate.")


def moved(params: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The params with what ``connector_config`` says of them; the rest of it stays, in its own words.

    :param defaults: of the params: what the config says otherwise takes their place.
    :raises BadParam: what the config says is said otherwise by a param, is fixed, or is a secret.
    """
    given = params.get("connector_config")
    if not isinstance(given, Mapping):
        return dict(params)
    found, kept = dict(params), dict[str, str]()
    for key, value in ((str(key), _text(value)) for key, value in given.items()):
        ((new_key, new_value),) = translated({key: value}).config.items()
        _refuse(key, new_key, value)
        if param := _PARAMS.get(new_key):
            said: Any = new_value.split(",") if param in ("databases", "tables") else new_value
            if params.get(param) not in (None, [], "", said, defaults.get(param)):
                raise BadParam("connector_config", f"{key} contradicts the param {param}", "set it once")
            found[param] = int(said) if param == "server_id" and said.isdigit() else said
        elif new_key == "connector.class":
            found["database"] = _database(value)
        else:
            kept[key] = value
    return {**found, "connector_config": kept}


def _refuse(key: str, new_key: str, value: str) -> None:
    if new_key == "database.password" or (
        is_secret_key(new_key) and "${" not in value and "IAMLoginModule" not in value
    ):
        raise BadParam("connector_config", f"{key} holds a secret, which the form would show",
                       "leave it out; secrets belong in the connections")  # fmt: skip
    if new_key in _FIXED or new_key.startswith(_FIXED_FAMILIES):
        raise BadParam(
            "connector_config", f"{key} is set by this DAG, because its validation depends on it", "leave it out"
        )
    if new_key == "tasks.max" and value != "1":
        raise BadParam("connector_config", "tasks.max is always 1: a database's log is read by one task", "1")


def _database(name: str) -> Database:
    for database in Database:
        if database.connector_class == name:
            return database
    raise BadParam("connector_config", f"connector.class {name!r} is not supported",
                   ", ".join(database.connector_class for database in Database))  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
