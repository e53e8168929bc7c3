"""The two towers of an open_clip model, as training objectives use them.

Shapes: N images or texts, S side of the tower's input, L tokens, D embedding width, h x w positions
of the image tower's last feature map, C its channels, E width of the text tower.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class Towers(Protocol):
    """What an objective may ask of a model under training; everything keeps gradients.

    Attributes:
        model: the open_clip model.
        embed_dim: D.
        image_size: S, pixels.
        image_width: C.
        vocab_size: number of tokens of the tokenizer.
    """

    model: nn.Module
    embed_dim: int
    image_size: int
    image_width: int
    vocab_size: int

    @property
    def text_width(self) -> int:
        """E."""
        ...

    @property
    def mask_token(self) -> int:
        """Id of a token that no text has, for masked language modelling."""
        ...

    @property
    def scale(self) -> Tensor:
        """Scalar with gradient, the factor that makes logits of cosines."""
        ...

    def encode_images(self, images: Tensor) -> Tensor:
        """Return (N, D) unit embeddings of (N, 3, S, S) normalised images."""
        ...

    def encode_texts(self, tokens: Tensor) -> Tensor:
        """Return (N, D) unit embeddings of (N, L) tokens."""
        ...

    def image_map(self, images: Tensor) -> Tensor:
        """Return (N, C, h, w), the image tower's last feature map before pooling."""
        ...

    def dense_images(self, images: Tensor) -> Tensor:
        """Return (N, D, h, w), the feature map projected into the space of the texts."""
        ...

    def text_states(self, tokens: Tensor, *, causal: bool = True) -> Tensor:
        """Return (N, L, E), the text tower's last hidden states.

        Args:
            tokens: (N, L).
            causal: False lets each token attend to all others, as masked modelling needs it.
        """
        ...
