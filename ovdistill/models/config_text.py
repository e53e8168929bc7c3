"""Lay out the text of a config once.

mmengine asks yapf for the same text anew whenever it logs or saves a config: a dozen times in a
training, most of a second each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from yapf.yapflib import yapf_api

lay_out = yapf_api.FormatCode


def lay_out_once(code: str, style_config: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what yapf's ``FormatCode`` returns, from memory where it was asked before.

    Args:
        code: Python source.
        style_config: yapf's settings.
    """
    return _remembered(code, tuple(style_config.items()))


@lru_cache(maxsize=8)  # a training, its proposal network, and what changes in them on the way
def _remembered(code: str, style: tuple[tuple[str, Any], ...]) -> tuple[str, bool]:
    return lay_out(code, style_config=dict(style))


def install() -> None:
    """Let mmengine's ``Config``, which looks yapf up at each call, find ``lay_out_once``."""
    yapf_api.FormatCode = lay_out_once
