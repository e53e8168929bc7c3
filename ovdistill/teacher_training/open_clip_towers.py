"""The towers of an open_clip model under training; see ``Towers`` for the shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from open_clip import CLIP
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher.dense import dense_features
from ovdistill.teacher.open_clip_teacher import square_side
from ovdistill.teacher_training.batch import is_text
from ovdistill.teacher_training.normalization import Normalization

NEVER_IN_UTF8 = 0xFF  # a byte that no text has


class OpenCLIPTowers(nn.Module):
    """Both towers of an open_clip ``CLIP`` or ``CustomTextCLIP``, as objectives use them.

    Args:
        model: an open_clip model with ViT, ModifiedResNet or timm's image towers.
        tokenizer: the model's tokenizer.

    Attributes:
        preprocessing: open_clip's configuration of the input.
        normalize: makes the input of pixels.

    See ``Towers`` for the others.

    Raises:
        UserError: images that are not square, a model without a scale of logits, or one that
            embeds no image or no text.
    """

    model: Any  # an open_clip model, whose classes publish no types

    def __init__(self, model: nn.Module, tokenizer: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        visual = self.model.visual
        self.image_size = square_side(visual.image_size, type(visual).__name__)
        self.preprocessing: dict[str, Any] = dict(visual.preprocess_cfg)
        self.normalize = Normalization(*(tuple(self.preprocessing[key]) for key in ("mean", "std")))
        if getattr(self.model, "logit_scale", None) is None:
            raise UserError(f"{type(model).__name__} has no logit_scale; expected a CLIP to train")
        visual.to(memory_format=torch.channels_last)  # a third faster on the CPU, same results
        self.vocab_size: int = self.model.vocab_size
        modes = {module: module.training for module in self.modules()}
        self.eval()  # statistics of normalisation stay as they are
        self.embed_dim, self.image_width = self._widths()
        for module, mode in modes.items():
            module.training = mode

    @torch.no_grad()
    def _widths(self) -> tuple[int, int]:
        """Return the widths of embeddings and of the feature map, by embedding one text and image.

        Raises:
            UserError: the model embeds none.
        """
        images = torch.zeros(1, 3, self.image_size, self.image_size)
        try:
            texts = self.encode_texts(self.tokenizer(["a"]))
            return texts.shape[1], self.image_map(images).shape[1]
        except UserError:
            raise
        except Exception as error:  # open_clip and torch raise many kinds
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise UserError(
                f"the towers embed no image of {self.image_size} pixels or no text ({reason}); "
                "expected a vision_cfg and a text_cfg with layers, a context_length, and patches "
                "that are no larger than the image"
            ) from error

    @property
    def device(self) -> torch.device:
        """Device on which the towers run."""
        return self.model.logit_scale.device

    @property
    def text_width(self) -> int:
        """Width of the text tower, see ``Towers``."""
        return self._text_tower().token_embedding.weight.shape[1]

    @property
    def mask_token(self) -> int:
        """Id of a token that no text has, see ``Towers``.

        Raises:
            UserError: the tokenizer has none.
        """
        found = None
        if isinstance(self.tokenizer, SimpleTokenizer):
            character = self.tokenizer.byte_encoder[NEVER_IN_UTF8]
            found = self.tokenizer.encoder.get(character)
        elif isinstance(self.tokenizer, HFTokenizer):
            found = self.tokenizer.tokenizer.mask_token_id
        if found is None:
            raise UserError(
                f"{type(self.tokenizer).__name__} has no token to mask others with; expected "
                "open_clip's SimpleTokenizer, or one of Hugging Face with a mask token"
            )
        return int(found)

    @property
    def scale(self) -> Tensor:
        """Scalar with gradient, the factor that makes logits of cosines."""
        return self.model.logit_scale.exp().squeeze()

    def encode_images(self, images: Tensor) -> Tensor:
        """Return (N, D) float32 unit embeddings of images, see ``Towers``."""
        images = images.contiguous(memory_format=torch.channels_last)
        return F.normalize(self.model.encode_image(images).float(), dim=-1)

    def encode_texts(self, tokens: Tensor) -> Tensor:
        """Return (N, D) float32 unit embeddings of texts, see ``Towers``."""
        return F.normalize(self.model.encode_text(tokens).float(), dim=-1)

    def image_map(self, images: Tensor) -> Tensor:
        """Return (N, C, h, w), the last feature map, normalised where the tower does so.

        Raises:
            UserError: the tower leaves out patches in training.
        """
        dropped = getattr(getattr(self.model.visual, "patch_dropout", None), "prob", 0)
        if self.training and dropped:
            raise UserError(
                f"the image tower leaves out {dropped:.0%} of the patches (patch_dropout of its "
                "vision_cfg), and an objective needs them all; expected 0"
            )
        images = images.contiguous(memory_format=torch.channels_last)
        found = self.model.visual.forward_intermediates(
            images, indices=1, normalize_intermediates=True, intermediates_only=True
        )
        return found["image_intermediates"][-1]

    def dense_images(self, images: Tensor) -> Tensor:
        """Return (N, D, h, w) raw features in the space of the texts, see ``dense_features``."""
        return dense_features(self.model, images.contiguous(memory_format=torch.channels_last))

    def text_states(self, tokens: Tensor, *, causal: bool = True) -> Tensor:
        """Return (N, L, E), see ``Towers``; padding is attended to by nobody.

        Raises:
            UserError: a text tower that is not open_clip's own, or one with a class token (CoCa).
        """
        tower, length = self._text_tower(), tokens.shape[1]
        if getattr(tower, "cls_emb", None) is not None:
            raise UserError("the text tower has a class token (CoCa); expected one without")
        dtype = tower.transformer.get_cast_dtype()
        hidden = (tower.token_embedding(tokens) + tower.positional_embedding[:length]).to(dtype)
        mask = None if tower.attn_mask is None else tower.attn_mask[:length, :length]
        if mask is None or not causal:
            heads = tower.transformer.resblocks[0].attn.num_heads
            mask = _padding_mask(tokens, hidden.dtype).repeat_interleave(heads, dim=0)
        return tower.ln_final(tower.transformer(hidden, attn_mask=mask))

    def _text_tower(self) -> Any:
        """Return what holds the text tower's parts: the model itself, or a tower of its own."""
        tower = self.model if isinstance(self.model, CLIP) else getattr(self.model, "text", None)
        if not isinstance(tower, (CLIP, TextTransformer)):
            raise UserError(
                f"the text tower is a {type(tower).__name__}; expected one of open_clip's own for "
                "an objective that looks at hidden states or token embeddings"
            )
        return tower


def _padding_mask(tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """Return (N, L, L), -inf in the columns of the zeros behind the end of each text, else 0."""
    used = is_text(tokens)
    mask = torch.zeros_like(used, dtype=dtype).masked_fill(~used, float("-inf"))
    return mask[:, None].expand(-1, tokens.shape[1], -1)
