"""Settings of Kafka's clients, of Connect and of Debezium that load code, open files or name other servers. Pure.

What is known to have been used so: ``sasl.jaas.config`` with a JNDI module (CVE-2023-25194),
``sasl.oauthbearer.token.endpoint.url`` and ``…jwks.endpoint.url`` (CVE-2025-27817), ``${file:…}`` of a ConfigProvider,
options of a JDBC driver (``driver.queryInterceptors``), classes of any kind, a schema history in a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

# By the words of a key, wherever a prefix puts them.
_KEY = re.compile(
    r"(?:^|[.>])(?:sasl|ssl|security|jaas|driver|rest|admin\.listeners|config\.providers|plugin\.path|plugin\.library\.paths"
    r"|bootstrap\.servers|listeners|transforms|predicates|jmx|metrics?|converters|post\.processors|openlineage)(?:[.]|$)"
    r"|(?:class|classes|serializer|deserializer|converter|reporters|interceptors?|providers?|handler|factory|strategy"
    r"|partitioner|assignors?|override\.policy|path|paths|file|filename|location|dir|directory|url|urls|uri|host|hostname"
    r"|command|listeners|endpoint|library|zookeeper|connect|jndi|schema\.history\.internal)$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\$\{|://|^\s*(?:~?/|\.\.?/|[A-Za-z]:\\)|(?:^|,)\s*(?:[A-Za-z_$][\w$]*\.){2,}[A-Z_$][\w$]*\s*(?:,|$)", re.ASCII
)
#: What Debezium's own documentation writes into a config, and what it would do without.
_USUAL = {("schema.history.internal", "io.debezium.storage.kafka.history.KafkaSchemaHistory")}


def first_risky(settings: Mapping[str, str], allowed: Iterable[str] = ()) -> tuple[str, str] | None:
    """The first setting that only the deployment may decide, and why; None: there is none.

    :param allowed: keys, with ``*`` for any characters, that are not looked at.
    """
    patterns = list(allowed)
    for key, value in settings.items():
        if (key, value) in _USUAL or any(fnmatchcase(key, pattern) for pattern in patterns):
            continue
        if _KEY.search(key):
            return key, "it may load code, open a file or name another server"
        if _VALUE.search(value):
            return key, "its value is a path, an address, a class or a reference"
    return None
