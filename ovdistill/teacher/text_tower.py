"""open_clip's text tower in two steps, so that gradients reach the token embeddings.

Shapes: n texts, L tokens of the longest one with start and end token, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from open_clip import CLIP
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from ovdistill.core.errors import UserError


class TextTower:
    """Text -> token embeddings -> text embeddings, which equal those of ``encode_text``.

    A token attends only to those before it (causal mask), and a text's embedding is read at its
    end. So the padding behind the longest text is cut off, which changes nothing and saves most of
    the time: class names take 16 of CLIP's 77 tokens.

    Args:
        model: an open_clip ``CLIP``, or a ``CustomTextCLIP`` around open_clip's own text tower.
        tokenizer: the model's tokenizer.
        name: the teacher's name, for messages.

    Attributes:
        width: width of the token embeddings.
        context_length: tokens that the tower takes, with start and end token.
        after: maps (n, D) unit embeddings to others; None for no map, see ``MappedTeacher``.

    Raises:
        UserError: the text tower is of another kind: from Hugging Face, without a causal mask
            (SigLIP), or with a class token (CoCa).
    """

    def __init__(
        self, model: nn.Module, tokenizer: Callable[..., Tensor], name: str = "the model"
    ) -> None:
        inner = model if isinstance(model, CLIP) else getattr(model, "text", None)
        pool = getattr(inner, "text_pool_type", getattr(inner, "pool_type", None))
        if (
            not isinstance(inner, (CLIP, TextTransformer))
            or inner.attn_mask is None
            or getattr(inner, "cls_emb", None) is not None
            or pool not in ("argmax", "eos")
        ):
            kind = type(model if inner is None else inner).__name__
            raise UserError(
                f"teacher {name!r} has a text tower ({kind}) that is not CLIP's; learned prompts "
                "need one of open_clip with a causal mask, read at the end of a text, such as "
                "ViT-B-32. Other teachers take written templates: ovdistill vocab"
            )
        self._inner = inner
        self._tokenizer = tokenizer
        self._name = name
        self.after: Callable[[Tensor], Tensor] | None = None
        # the end token has the highest id of all, or (pool 'eos') one that the model names
        self._eos_id = None
        if pool == "eos":
            self._eos_id = getattr(inner, "text_eos_id", getattr(inner, "eos_id", None))
        self.width: int = inner.token_embedding.weight.shape[1]
        self.context_length: int = inner.context_length

    @property
    def device(self) -> torch.device:
        """Device on which the tower runs."""
        return self._inner.token_embedding.weight.device

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the token ids of texts, which may be longer than the tower takes.

        Returns:
            (n, L) int64 ids; (n,) int64 lengths with start and end token. Both on the CPU.
        """
        # twice the length, so that texts that are too long show
        ids = self._tokenizer(list(texts), context_length=2 * self.context_length)
        ends = ids.argmax(dim=1) if self._eos_id is None else (ids == self._eos_id).int().argmax(1)
        lengths = ends + 1
        return ids[:, : int(lengths.max())], lengths

    def token_embeddings(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the token embeddings of texts, before positions are added.

        Returns:
            (n, L, width) float32 without gradient; (n,) int64 lengths with start and end token.
            Both on the tower's device. Embeddings behind the end of a text have no effect.

        Raises:
            UserError: a text is longer than the tower takes.
        """
        ids, lengths = self.tokenize(texts)
        if long := [texts[row] for row in (lengths > self.context_length).nonzero().flatten()]:
            raise UserError(
                f"{len(long)} texts are longer than the {self.context_length} tokens of teacher "
                f"{self._name!r}: {', '.join(map(repr, long[:5]))}; expected shorter ones"
            )
        with torch.no_grad():
            embedded = self._inner.token_embedding(ids.to(self.device)).float()
        return embedded, lengths.to(self.device)

    def encode_embedded(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Return the text embeddings of token embeddings; gradients reach ``embedded``.

        Args:
            embedded: (n, L, width), L up to ``context_length``.
            lengths: (n,) int64, with start and end token.

        Returns:
            (n, D) float32, raw (not unit norm) unless ``after`` returns unit ones.
        """
        inner, length = self._inner, embedded.shape[1]
        dtype = inner.transformer.get_cast_dtype()
        hidden = (embedded + inner.positional_embedding[:length]).to(dtype)
        hidden = inner.transformer(hidden, attn_mask=inner.attn_mask[:length, :length])
        rows = torch.arange(len(hidden), device=hidden.device)
        pooled = inner.ln_final(hidden[rows, lengths - 1])
        projection = inner.text_projection
        if isinstance(projection, nn.Linear):
            pooled = projection(pooled)
        elif projection is not None:
            pooled = pooled @ projection
        if self.after is None:
            return pooled.float()
        return self.after(F.normalize(pooled.float(), dim=-1))
