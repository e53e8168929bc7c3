"""Ask whether downloads are allowed, and forbid them.

huggingface_hub reads its variable once, when it is imported: ``go_offline`` must be called before.
"""

from __future__ import annotations

import os

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "OVDISTILL_OFFLINE")


def is_offline() -> bool:
    """Return True when an environment variable forbids downloads."""
    values = (os.environ.get(name, "") for name in OFFLINE_VARIABLES)
    return any(value.lower() in ("1", "on", "true", "yes") for value in values)


def go_offline() -> None:
    """Forbid downloads from now on, in this process and in the processes that it starts."""
    for name in OFFLINE_VARIABLES:
        os.environ[name] = "1"
