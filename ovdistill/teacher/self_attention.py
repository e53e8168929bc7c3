"""Let the tokens of a transformer block attend to themselves alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def attend_to_itself(block: nn.Module) -> Iterator[None]:
    """Let each token of a block attend to itself alone, in forward passes within the context.

    Attention to one token is that token's value. So the mask leaves the value and output
    projections of any kind of attention, without a word about how the block keeps them.

    Args:
        block: it is called with tokens (n, L, C) and takes ``attn_mask``, (L, L), which is added to
            the logits: a block of open_clip or of timm.
    """

    def add_mask(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, {**kwargs, "attn_mask": _own_token_mask(args[0])}

    handle = block.register_forward_pre_hook(add_mask, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _own_token_mask(hidden: Tensor) -> Tensor:
    """Return (L, L) logits to add for tokens (n, L, C): 0 on the diagonal, else minus infinity."""
    length = hidden.shape[1]
    mask = torch.full((length, length), -torch.inf, dtype=hidden.dtype, device=hidden.device)
    return mask.fill_diagonal_(0)
