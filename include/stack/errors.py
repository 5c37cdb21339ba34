"""The one error the stack raises on purpose."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what was asked. The message tells the cause and the fix, for a person to read."""
