"""The embedded stack: two Kafka clusters, a Kafka Connect worker and Airflow on this machine, without containers.

    from stack import Stack

    stack = Stack(".stack").up()
    stack.source_bootstrap          # "127.0.0.1:20817"
    stack.broker("source").kill9()  # a fault
    stack.up()                      # heals: starts what is missing, leaves the rest alone
    stack.down(purge=True)

Uses the standard library, psutil and filelock only.
"""

from stack.errors import StackError
from stack.stack import Stack

__all__ = ["Stack", "StackError"]
