"""Options of ``java`` that can do no more than size and tune the process. Pure.

Everything else may run or load code (``-javaagent:``, ``-agentpath:``, ``-cp``, ``@file``, ``-XX:OnOutOfMemoryError=``,
``-XX:Flags=``), or write files where it likes (heap dumps, logs): the java command, Java 17 tool reference.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_HARMLESS = re.compile(
    r"-X(?:ms|mx|mn|ss)[0-9]{1,12}[kKmMgG]?|-server"
    r"|-XX:(?:MaxMetaspaceSize|MetaspaceSize|CompressedClassSpaceSize|ReservedCodeCacheSize|MaxDirectMemorySize"
    r"|G1HeapRegionSize|NewSize|MaxNewSize|ThreadStackSize)=[0-9]{1,12}[kKmMgG]?"
    r"|-XX:(?:Initial|Min|Max)RAMPercentage=[0-9]{1,3}(?:\.[0-9]{1,3})?"
    r"|-XX:(?:MaxGCPauseMillis|GCPauseIntervalMillis|InitiatingHeapOccupancyPercent|ParallelGCThreads|ConcGCThreads"
    r"|ActiveProcessorCount|TieredStopAtLevel|NewRatio|SurvivorRatio|MinHeapFreeRatio|MaxHeapFreeRatio"
    r"|MaxInlineLevel)=[0-9]{1,9}"
    r"|-XX:[+-](?:UseG1GC|UseParallelGC|UseSerialGC|UseZGC|ZGenerational|UseShenandoahGC|ExplicitGCInvokesConcurrent"
    r"|DisableExplicitGC|AlwaysPreTouch|UseStringDeduplication|UseCompressedOops|UseCompressedClassPointers"
    r"|UseContainerSupport|ExitOnOutOfMemoryError|TieredCompilation|UseNUMA|PerfDisableSharedMem|UsePerfData)"
    r"|-Djava\.net\.prefer(?:IPv4Stack|IPv6Addresses)=(?:true|false|system)|-Djava\.awt\.headless=true"
    r"|-Dfile\.encoding=[A-Za-z0-9-]{1,20}|-Duser\.timezone=[A-Za-z0-9/_+-]{1,40}"
    r"|-D(?:sun\.net\.inetaddr|networkaddress\.cache)\.(?:negative\.)?ttl=-?[0-9]{1,9}",
    re.ASCII,
)


def not_harmless(words: Iterable[str], allowed: Collection[str] = ()) -> str | None:
    """The first option that is neither known to be harmless nor allowed, word for word; None: all are."""
    return next((word for word in words if word not in allowed and not _HARMLESS.fullmatch(word)), None)
