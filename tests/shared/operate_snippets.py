"""What docs/operate.md shows, to be run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operate.md"


def snippet(word: str) -> str:
    """The one block of Python that has this word."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (found,) = (block for block in blocks if word in block)
    return str(found)
