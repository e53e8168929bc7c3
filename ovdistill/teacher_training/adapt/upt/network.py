"""The network of UPT: prompts of both towers from shared ones (this file imports torch only).

Source: Zang et al., "Unified Vision and Language Prompt Learning", arXiv 2210.07225, section 3.2.

Shapes: M text prompts, V visual prompts, d their width, E width of the text tower's tokens, K
pixels of the frame.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

HEADS = 8  # of the attention, at most
INIT_STD = 0.02


class PromptNetwork(nn.Module):
    """Shared prompts, a transformer layer, and a projection to each tower.

    Equations 3 and 4 of the paper: ``U' = SA(U) + LN(U)`` and ``P = FFN(LN(U')) + LN(U')``. The
    first M rows of P become the context of the class names, the others the frame of the image.

    Both projections are zero at first, so that learning starts at the teacher as it is.

    Args:
        num_text: M.
        num_visual: V.
        text_width: E; d is the same.
        frame_size: K.
        start: (M, E) context to start from.
    """

    def __init__(
        self, num_text: int, num_visual: int, text_width: int, frame_size: int, start: Tensor
    ) -> None:
        super().__init__()
        width = text_width
        self.num_text, self.frame_size = num_text, frame_size
        self.shared = nn.Parameter(torch.randn(num_text + num_visual, width) * INIT_STD)
        self.attention = nn.MultiheadAttention(width, math.gcd(width, HEADS), batch_first=True)
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.to_text = nn.Linear(width, text_width)
        self.to_frame = nn.Linear(width, -(-3 * frame_size // num_visual))
        for projection in (self.to_text, self.to_frame):
            nn.init.zeros_(projection.weight)
            nn.init.zeros_(projection.bias)
        self.register_buffer("start", start.detach().clone())

    def prompts(self) -> Tensor:
        """Return P, (M + V, d)."""
        shared = self.shared[None]
        attended, _ = self.attention(shared, shared, shared, need_weights=False)
        middle = self.second_norm(attended + self.first_norm(shared))
        return (self.feed_forward(middle) + middle)[0]

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return the context (M, E) and the values of the frame (3, K)."""
        prompts = self.prompts()
        context = self.start + self.to_text(prompts[: self.num_text])
        values = self.to_frame(prompts[self.num_text :]).flatten()[: 3 * self.frame_size]
        return context, values.reshape(3, self.frame_size)
