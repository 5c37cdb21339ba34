"""Foreign keys by which a server changes rows itself, without its binary log. Pure."""

from __future__ import annotations

import re

# As SHOW CREATE TABLE prints them, a line each. information_schema shows foreign keys only to users who may do more
# than SELECT (measured on MariaDB 10.11), which Debezium's user need not.
_KEY = re.compile(
    r"^ *CONSTRAINT `(?P<name>(?:[^`]|``)+)` FOREIGN KEY .*? REFERENCES (?P<parent>.+?) \(.*\)(?P<rules>.*)$"
)
_RULE = re.compile(r"ON (?:DELETE|UPDATE) (?:CASCADE|SET NULL|SET DEFAULT)")


def cascades_of(definition: str) -> tuple[str, ...]:
    """Such as ``fk_order (of orders) ON DELETE CASCADE``, by what SHOW CREATE TABLE prints."""
    found = []
    for line in definition.splitlines():
        key = _KEY.match(line)
        if key and (rules := _RULE.findall(key["rules"])):
            parent = key["parent"].replace("`", "")
            found.append(f"{key['name'].replace('``', '`')} (of {parent}) {' '.join(rules)}")
    return tuple(found)
