"""Teacher of any open_clip model: ViT, ResNet, SigLIP and others.

Shapes: n texts or images, D embedding width, S side of the teacher's input.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense import dense_features, dense_stride, embed_regions
from ovdistill.teacher.dense_regions import DenseBatch
from ovdistill.teacher.image_tower import ImageTower
from ovdistill.teacher.open_clip_model import (
    create_model,
    expand_model,
    find_weights,
    model_name,
    warn_of_random,
)
from ovdistill.teacher.region_policy import RegionPolicy, describe
from ovdistill.teacher.registry import register_teacher
from ovdistill.teacher.resample import SUPPORT
from ovdistill.teacher.teacher import Teacher, hash_weights
from ovdistill.teacher.text_tower import TextTower
from ovdistill.teacher.weights import find_directory, has_unknown_settings
from ovdistill.teacher.weights_note import read_weights_note

LOGGER = logging.getLogger(__name__)
# open_clip's ways to make an image square, as shapes of ``CropPolicy``
RESIZE_MODES = {"shortest": "clip", "longest": "pad", "squash": "squash"}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@register_teacher
class OpenCLIPTeacher(Teacher):
    """Frozen open_clip model; width, input size and pixel statistics are the model's own.

    Args:
        model: an open_clip model name ("ViT-B-32"), "hf-hub:org/repo", or a directory with
            open_clip_config.json, a .safetensors file and, optionally, bpe.txt.gz (the merges of
            open_clip's SimpleTokenizer) and "name" in the configuration (the teacher's name).
            "ovshapes" is the teacher of the embedded benchmark, which ships with the package.
        pretrained: weights of a model given by name: a tag of open_clip ("openai"), the file of a
            tag ("openai=/path/to/weights.safetensors"), or a file of weights of no tag.
        crops: see ``Teacher``.
        device: where the model runs.
        random_weights: use an untrained model, to try code out; a warning says so. The weights are
            the same in every process.
        precision: dtype of the image tower, 'fp32', 'bf16' or 'fp16'; texts are always float32.

    Attributes:
        refined_for: the regions that ``ovdistill teacher refine`` fitted the weights to; None for
            others. Other regions are embedded with a warning.

    Raises:
        UserError: unknown model, missing or wrong weights, images that are not square, or a
            needed download while offline (--offline, HF_HUB_OFFLINE=1, OVDISTILL_OFFLINE=1).
    """

    model: Any  # an open_clip model, whose classes publish no types
    mean: Tensor  # (3, 1, 1) of RGB pixels in [0, 1], as std
    std: Tensor

    def __init__(
        self,
        model: str,
        pretrained: str | None = None,
        crops: RegionPolicy | Mapping[str, Any] | None = None,
        device: str | torch.device = "cpu",
        *,
        random_weights: bool = False,
        precision: str = "fp32",
    ) -> None:
        super().__init__(crops)
        if precision not in PRECISIONS:
            raise UserError(f"teacher precision {precision!r}; expected: {', '.join(PRECISIONS)}")
        model = str(model)
        self.source, self.pretrained = model, pretrained
        # the same weights mean something else with another activation, which the name decides then
        self._use = model if has_unknown_settings(expand_model(model), pretrained) else ""
        self.model, self.tokenizer = create_model(model, pretrained, random_weights=random_weights)
        name = model_name(model, pretrained, random_weights=random_weights)
        assert name is not None  # create_model has found the model
        self.name = name
        self.model.requires_grad_(requires_grad=False).eval()
        note = read_weights_note(find_directory(expand_model(model)))
        if note.random and not random_weights:
            warn_of_random(name)
        self.random = random_weights or note.random
        self.refined_for = None if random_weights else note.refined_for
        self._warned_of: list[RegionPolicy] = []
        self.precision = precision
        visual = self.model.visual
        self.image_size = square_side(visual.image_size, self.name)
        self._set_preprocessing(visual.preprocess_cfg)
        # models without a scale of their own were not trained with scaled cosines
        scale = getattr(self.model, "logit_scale", None)
        self.temperature = 0.01 if scale is None else float(1 / scale.exp())
        if precision != "fp32":
            self.weights_hash = self._hash()  # before they are rounded
            visual.to(PRECISIONS[precision])
        visual.to(memory_format=torch.channels_last)  # a third faster on the CPU, same results
        self.to(device)
        with torch.inference_mode():
            self.embed_dim = self._encode_batch(["a"]).shape[1]

    def _set_preprocessing(self, config: Mapping[str, Any]) -> None:
        check_preprocessing(config, f"preprocess_cfg of {self.name}")
        for name in ("mean", "std"):
            value = torch.tensor(config[name], dtype=torch.float32)
            self.register_buffer(name, value.reshape(3, 1, 1), persistent=False)
        self.interpolation = config["interpolation"]
        shape = RESIZE_MODES[config["resize_mode"]]
        self.whole_image = CropPolicy(scales=(1.0,), shape=shape)

    @classmethod
    def name_of(
        cls,
        *,
        model: str | None = None,
        pretrained: str | None = None,
        random_weights: bool = False,
        **options: Any,
    ) -> str | None:
        """Return the name, see ``Teacher``; None for a model directory that does not exist."""
        if model is None:
            return None
        return model_name(str(model), pretrained, random_weights=random_weights)

    @classmethod
    def find_weights(
        cls,
        *,
        model: str = "",
        pretrained: str | None = None,
        random_weights: bool = False,
        **options: Any,
    ) -> Path | None:
        """Return the file or folder of the weights, see ``Teacher``."""
        return find_weights(str(model), pretrained, random_weights=random_weights)

    @cached_property
    def weights_hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the weights; the same for every precision."""
        return self._hash()

    def _hash(self) -> str:
        return hash_weights(self.model.state_dict(), self._use)

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Embed texts, see ``Teacher``; a text longer than the context is cut, with a warning."""
        texts = [texts] if isinstance(texts, str) else list(texts)
        if empty := [i for i, text in enumerate(texts) if not text.strip()]:
            raise UserError(f"text {empty[0]} is empty; expected e.g. 'a red striped star'")
        chunks = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
        with torch.inference_mode():
            parts = [nn.functional.normalize(self._encode_batch(chunk), dim=-1) for chunk in chunks]
        # concatenated outside of inference mode: an ordinary tensor, which a loss may take
        return torch.cat(parts) if parts else torch.zeros(0, self.embed_dim, device=self.device)

    def encode_images(self, images: Tensor) -> Tensor:
        """Embed images, see ``Teacher``."""
        with torch.inference_mode():
            pixels = to_input(images.to(self.device), self.mean, self.std, self.precision)
            embeddings = self.model.encode_image(pixels).float()
        return embeddings.clone()  # an ordinary tensor, which a loss may take

    @property
    def dense_stride(self) -> int:
        """Pixels of a position of dense features, see ``Teacher``."""
        return dense_stride(self.model)

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position of images, see ``Teacher`` and ``dense``."""
        with torch.inference_mode():
            pixels = to_input(images.to(self.device), self.mean, self.std, self.precision)
            features = nn.functional.normalize(dense_features(self.model, pixels).float(), dim=1)
        return features.clone()  # an ordinary tensor, which a loss may take

    def region_batches(
        self,
        regions: Iterable[tuple[Tensor, Tensor]],
        batch_size: int,
        policy: RegionPolicy | None = None,
    ) -> Iterator[Tensor | DenseBatch]:
        """Yield what ``embed_batch`` embeds, see ``Teacher``."""
        self._warn_unless_refined_for(policy or self.crops)
        return super().region_batches(regions, batch_size, policy)

    def embed_dense(self, batch: DenseBatch) -> Tensor:
        """Embed the regions of images, see ``Teacher`` and ``dense``."""
        with torch.inference_mode():
            pixels = to_input(batch.images.to(self.device), self.mean, self.std, self.precision)
            regions = embed_regions(self.model, pixels, batch, self.image_size)
        return regions.clone()  # an ordinary tensor, which a loss may take

    def text_tower(self) -> TextTower:
        """Return the text tower, see ``Teacher``."""
        return TextTower(self.model, self.tokenizer, self.name)

    def image_tower(self) -> ImageTower:
        """Return the image tower, see ``Teacher``."""
        return ImageTower(self.model, self.mean, self.std, PRECISIONS[self.precision])

    def with_weights(self, weights: Mapping[str, Tensor], name: str) -> OpenCLIPTeacher:
        """Return a copy of the teacher with other weights of the same architecture.

        Args:
            weights: state of the open_clip model, float32.
            name: name of the new teacher.

        Raises:
            UserError: the teacher's own weights are rounded.
        """
        if self.precision != "fp32":
            raise UserError(
                f"teacher {self.name!r} is in {self.precision}; expected fp32, whose weights are "
                "not rounded"
            )
        other = copy.deepcopy(self)
        other.__dict__.pop("weights_hash", None)  # of the weights before
        other.model.load_state_dict(weights)
        other.name = name
        other.refined_for = None  # they are others
        scale = getattr(other.model, "logit_scale", None)
        other.temperature = self.temperature if scale is None else float(1 / scale.exp())
        return other

    def _warn_unless_refined_for(self, policy: RegionPolicy) -> None:
        """Warn, once for each policy, that the weights were refined for other regions."""
        if self.refined_for is None or self.refined_for == policy or policy in self._warned_of:
            return
        self._warned_of.append(policy)
        LOGGER.warning(
            "teacher %s was refined for regions by crops=%s, and can be much worse with others; "
            "got crops=%s",
            *(self.name, describe(self.refined_for), describe(policy)),
        )

    def _encode_batch(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts)
        full = (tokens[:, -1] != 0).nonzero().flatten().tolist()
        full = [texts[row] for row in full] if hasattr(self.tokenizer, "encode") else []
        long = [text for text in full if len(self.tokenizer.encode(text)) + 2 > tokens.shape[1]]
        if long:
            LOGGER.warning(
                "%d texts are cut to the teacher's %d tokens: %s%s",
                *(len(long), tokens.shape[1], long[0], " and others" if long[1:] else ""),
            )
        return self.model.encode_text(tokens.to(self.device)).float()


def to_input(images: Tensor, mean: Tensor, std: Tensor, precision: str) -> Tensor:
    """Return normalised pixels, channels last in memory.

    Args:
        images: (n, 3, H, W) RGB, uint8, or float in [0, 1].
        mean: (3, 1, 1) mean of pixels in [0, 1].
        std: (3, 1, 1) standard deviation of pixels in [0, 1].
        precision: a key of ``PRECISIONS``.

    Returns:
        (n, 3, H, W) of the dtype of ``precision``.
    """
    full = 255 if images.dtype == torch.uint8 else 1
    scale, shift = 1 / (std * full), -mean / std
    dtype, width = PRECISIONS[precision], images.shape[-1]
    pixels = torch.empty(
        images.shape, dtype=dtype, device=images.device, memory_format=torch.channels_last
    )
    # Rows of red, green, blue, red, ... On the CPU one image at a time, which stays in the cache:
    # it takes a tenth of the time of one expression for the batch.
    rows, source = (value.permute(0, 2, 3, 1).flatten(2) for value in (pixels, images))
    scale, shift = (value.flatten().repeat(width) for value in (scale, shift))
    step = 1 if images.device.type == "cpu" else max(1, len(images))
    for target, part in zip(rows.split(step), source.split(step), strict=True):
        values = target.copy_(part) if dtype == torch.float32 else part.float()
        torch.addcmul(shift, values, scale, out=values)
        if values is not target:
            target.copy_(values)
    return pixels


def square_side(size: int | Sequence[int], name: str) -> int:
    """Return the side of square images.

    Args:
        size: height and width, or the side.
        name: of the model, for the message.

    Raises:
        UserError: the model takes others.
    """
    sides = {size} if isinstance(size, int) else {*size}
    if len(sides) > 1:
        raise UserError(f"teacher {name!r} takes images of {size}; expected square ones")
    return int(sides.pop())


def check_preprocessing(config: Mapping[str, Any], name: str) -> None:
    """Raise UserError for values of open_clip's ``preprocess_cfg`` that no teacher can use.

    Args:
        config: the values; keys may be missing.
        name: where they come from, for the message.
    """
    for key in [key for key in ("mean", "std") if key in config]:
        value = config[key]
        numbers = isinstance(value, (list, tuple)) and [type(v) in (int, float) for v in value]
        if numbers != [True] * 3 or (key == "std" and min(value) <= 0):
            raise UserError(
                f"{name} has {key} {value!r:.100}; expected three numbers, of red, green and blue"
                f"{', above 0' if key == 'std' else ''}"
            )
    for key, known in (("interpolation", [*SUPPORT]), ("resize_mode", [*RESIZE_MODES])):
        if key in config and config[key] not in known:
            raise UserError(f"{name} has {key} {config[key]!r:.100}; expected {' or '.join(known)}")
