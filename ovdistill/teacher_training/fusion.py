"""A small transformer that reads an image and a text together.

Shapes: N pairs, C channels of an h x w feature map, L tokens of a text, E width of the text tower,
W width of the fusion.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.towers import Towers


class FusedStates(NamedTuple):
    """The states of pairs, each of which has seen the image and the text.

    Attributes:
        pair: (N, W) of the class token.
        image: (N, W, h, w).
        text: (N, L, W).
    """

    pair: Tensor
    image: Tensor
    text: Tensor


class Fusion(nn.Module):
    """FLAVA's multimodal encoder: attention over a class token, image positions and text tokens.

    Source: FLAVA (Singh et al., arXiv 2112.04482), section 3.1: a linear map takes the states of
    each tower to the width of the encoder, which has no positions of its own. In addition, a
    learned vector marks each modality, as in ViLT.

    Args:
        towers: give the widths C and E.
        width: W. FLAVA: 768.
        layers: number of transformer layers. FLAVA: 6.
        heads: attention heads; they divide ``width``.

    Raises:
        UserError: a value out of its range.
    """

    def __init__(self, towers: Towers, width: int, layers: int, heads: int) -> None:
        super().__init__()
        if min(width, layers, heads) < 1 or width % heads:
            raise UserError(
                f"a fusion of width {width}, {layers} layers and {heads} heads; expected 1 or "
                "more of each, and heads that divide the width"
            )
        self.from_image = nn.Linear(towers.image_width, width)
        self.from_text = nn.Linear(towers.text_width, width)
        self.class_token = nn.Parameter(torch.empty(width).normal_(std=0.02))
        self.of_image = nn.Parameter(torch.empty(width).normal_(std=0.02))
        self.of_text = nn.Parameter(torch.empty(width).normal_(std=0.02))
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, layers, nn.LayerNorm(width), enable_nested_tensor=False
        )

    def forward(self, image_map: Tensor, text_states: Tensor, is_text: Tensor) -> FusedStates:
        """Fuse images and texts pair by pair.

        Args:
            image_map: (N, C, h, w) of the image tower.
            text_states: (N, L, E) of the text tower.
            is_text: (N, L) bool, False behind the end of a text, which nothing attends to.
        """
        grid = image_map.shape[-2:]
        image = self.from_image(image_map.flatten(2).transpose(1, 2)) + self.of_image
        text = self.from_text(text_states) + self.of_text
        pair = self.class_token.expand(len(image), 1, -1).to(image.dtype)
        before = 1 + image.shape[1]
        ignored = nn.functional.pad(~is_text, (before, 0), value=False)
        states = self.encoder(torch.cat([pair, image, text], dim=1), src_key_padding_mask=ignored)
        return FusedStates(
            states[:, 0],
            states[:, 1:before].transpose(1, 2).unflatten(2, grid),
            states[:, before:],
        )
