"""MirrorMakers that run on a host, whoever started them."""

from __future__ import annotations

from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.hooks.hosts.java_command import Found
from kafka_ferry.hooks.hosts.process import java_processes

#: Main classes of every MirrorMaker there has been.
_MIRROR_MAKERS = r"^(kafka\.tools\.MirrorMaker|org\.apache\.kafka\.connect\.mirror\.MirrorMaker)$"
_STANDALONE = r"^org\.apache\.kafka\.connect\.cli\.ConnectStandalone$"

# A standalone worker may run anything. Its connectors stand in files that its command line names.
_HAS_MIRROR_SOURCE = r"""
cd /proc/{pid}/cwd 2>/dev/null
tr '\0' '\n' </proc/{pid}/cmdline | while IFS= read -r file; do
    [ -f "$file" ] && grep -qs 'connector.class.*MirrorSource' "$file" && echo it copies
done | grep -q .
"""


def mirror_makers(host: Host) -> list[Found]:
    """To name what stands in our way, never to end it.

    Not seen: connectors that a standalone worker was given over its REST API.

    :raises TransientError: the host does not answer.
    """
    workers = java_processes(host, _STANDALONE)
    copying = [worker for worker in workers if host.run(_HAS_MIRROR_SOURCE.format(pid=worker.pid)).code == 0]
    return [*java_processes(host, _MIRROR_MAKERS), *copying]
