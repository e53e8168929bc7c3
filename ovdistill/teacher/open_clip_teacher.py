"""Any open_clip model as a teacher: ViT, ResNet, SigLIP and others."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.registry import register_teacher
from ovdistill.teacher.teacher import Teacher, hash_weights
from ovdistill.teacher.text_tower import TextTower
from ovdistill.teacher.weights import (
    CONFIG_NAME,
    FIX,
    LOCAL_DIR,
    find_directory,
    find_pretrained,
    require_weights,
)

LOGGER = logging.getLogger(__name__)
BPE_NAME = "bpe.txt.gz"
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
OVSHAPES = "ovshapes"


@register_teacher
class OpenCLIPTeacher(Teacher):
    """A frozen open_clip model; width, input size and pixel statistics are the model's own.

    Args:
        model: an open_clip model name ("ViT-B-32"), "hf-hub:org/repo", or a directory with
            open_clip_config.json, a .safetensors file and, optionally, bpe.txt.gz (the merges of
            open_clip's SimpleTokenizer) and "name" in the configuration (the teacher's id).
            "ovshapes" is the embedded benchmark's, which ships with the package.
        pretrained: open_clip tag ("openai") or weights file of a model given by name.
        crops: see ``Teacher``.
        device: where the model runs.
        random_weights: the only way to an untrained model, to try code out; logged in capitals.
            The weights are the same in every process.
        precision: of the image tower, 'fp32', 'bf16' or 'fp16'; texts are always float32.

    Raises:
        UserError: unknown model, missing or wrong weights, images that are not square, or a
            needed download while offline (--offline, HF_HUB_OFFLINE=1, OVDISTILL_OFFLINE=1).
    """

    def __init__(
        self,
        model: str,
        pretrained: str | None = None,
        crops: CropPolicy | Mapping[str, Any] | None = None,
        device: str | torch.device = "cpu",
        random_weights: bool = False,
        precision: str = "fp32",
    ) -> None:
        super().__init__(crops)
        if precision not in PRECISIONS:
            raise UserError(f"teacher precision {precision!r}; expected: {', '.join(PRECISIONS)}")
        model = str(TEACHER_DIR) if str(model) == OVSHAPES else str(model)
        self.model, self.tokenizer = _create(model, pretrained, random_weights)
        self.name = self.name_of(model, pretrained, random_weights)
        self.model.requires_grad_(False).eval()
        self.random = random_weights
        self.precision = precision
        visual = self.model.visual
        self.image_size = _side(visual.image_size, self.name)
        preprocess = visual.preprocess_cfg
        for name in ("mean", "std"):
            value = torch.tensor(preprocess[name], dtype=torch.float32)
            self.register_buffer(name, value.reshape(3, 1, 1), persistent=False)
        self.interpolation = preprocess["interpolation"]
        # models without a scale of their own were not trained to compare by cosine over one
        scale = getattr(self.model, "logit_scale", None)
        self.temperature = 0.01 if scale is None else float(1 / scale.exp())
        if precision != "fp32":
            self.weights_hash = hash_weights(self.model.state_dict())  # before they are rounded
            visual.to(PRECISIONS[precision])
        visual.to(memory_format=torch.channels_last)  # a third faster on the CPU, same results
        self.to(device)
        with torch.inference_mode():
            self.embed_dim = self._encode_batch(["a"]).shape[1]

    @classmethod
    def name_of(
        cls,
        model: str,
        pretrained: str | None = None,
        random_weights: bool = False,
        **options: Any,
    ) -> str | None:
        """See ``Teacher``; None for a model directory that is not here."""
        model = str(TEACHER_DIR) if str(model) == OVSHAPES else str(model)
        directory = Path(model.removeprefix(LOCAL_DIR))
        if (directory / CONFIG_NAME).is_file():
            name = _configured_name(directory)
        elif model.startswith("hf-hub:"):
            name = model
        elif pretrained or random_weights:
            name = model.replace("/", "-")
            pretrained = Path(pretrained or "").name
        else:
            return None
        if random_weights:
            return f"{name}:random"
        return f"{name}:{pretrained}" if pretrained else name

    @cached_property
    def weights_hash(self) -> str:
        """See ``Teacher``; the same for every precision."""
        return hash_weights(self.model.state_dict())

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """See ``Teacher``; a text longer than the model's context is cut, with a warning."""
        texts = [texts] if isinstance(texts, str) else list(texts)
        if empty := [i for i, text in enumerate(texts) if not text.strip()]:
            raise UserError(f"text {empty[0]} is empty; expected words, e.g. 'a red striped star'")
        chunks = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
        with torch.inference_mode():
            parts = [nn.functional.normalize(self._encode_batch(chunk), dim=-1) for chunk in chunks]
        # Joined outside of inference mode: an ordinary tensor, which a loss may take.
        return torch.cat(parts) if parts else torch.zeros(0, self.embed_dim, device=self.device)

    def encode_images(self, images: Tensor) -> Tensor:
        """See ``Teacher``."""
        with torch.inference_mode():
            pixels = to_input(images.to(self.device), self.mean, self.std, self.precision)
            embeddings = self.model.encode_image(pixels).float()
        return embeddings.clone()  # an ordinary tensor, which a loss may take

    def text_tower(self) -> TextTower:
        """See ``Teacher``."""
        return TextTower(self.model, self.tokenizer, self.name)

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
    """Normalised pixels, channels last in memory.

    Args:
        images: (n, 3, S, S) RGB, uint8, or float in [0, 1].
        mean, std: (3, 1, 1) of pixels in [0, 1].
        precision: a key of ``PRECISIONS``.
    """
    full = 255 if images.dtype == torch.uint8 else 1
    scale, shift = 1 / (std * full), -mean / std
    dtype, width = PRECISIONS[precision], images.shape[-1]
    pixels = torch.empty(
        images.shape, dtype=dtype, device=images.device, memory_format=torch.channels_last
    )
    # Rows of red, green, blue, red, ..., on the CPU an image at a time, which stays in its cache:
    # a tenth of the time of one expression for the batch.
    rows, source = (value.permute(0, 2, 3, 1).flatten(2) for value in (pixels, images))
    scale, shift = (value.flatten().repeat(width) for value in (scale, shift))
    step = 1 if images.device.type == "cpu" else max(1, len(images))
    for target, part in zip(rows.split(step), source.split(step), strict=True):
        values = target.copy_(part) if dtype == torch.float32 else part.float()
        torch.addcmul(shift, values, scale, out=values)
        if values is not target:
            target.copy_(values)
    return pixels


def _side(size: int | Sequence[int], name: str) -> int:
    sides = {size} if isinstance(size, int) else {*size}
    if len(sides) > 1:
        raise UserError(f"teacher {name!r} takes images of {size}; expected square ones")
    return int(sides.pop())


def _create(model: str, pretrained: str | None, random_weights: bool) -> tuple[nn.Module, Any]:
    """The open_clip model and its tokenizer."""
    if pretrained is not None and random_weights:
        raise UserError(f"both pretrained={pretrained!r} and random_weights=True; expected one")
    directory = find_directory(model)
    tokenizer_args: dict[str, Any] = {}
    if directory is not None:
        if pretrained is not None:
            raise UserError(
                f"both a teacher directory {model!r} and pretrained={pretrained!r}; "
                "expected one: the directory holds its weights"
            )
        model = f"{LOCAL_DIR}{directory}"
        name = _configured_name(directory)
        if (directory / BPE_NAME).is_file():
            tokenizer_args["bpe_path"] = str(directory / BPE_NAME)
        if not random_weights:
            require_weights(directory)
    elif model.startswith("hf-hub:"):
        name = model
    else:
        name = model = model.replace("/", "-")
        if model not in open_clip.list_models():
            raise UserError(
                f"unknown teacher {model!r}; expected a directory or an open_clip model name "
                "(python -c 'import open_clip; print(open_clip.list_models())')"
            )

    arguments: dict[str, Any] = {}
    if random_weights:
        LOGGER.warning("RANDOM TEACHER WEIGHTS: %s is untrained, its embeddings mean nothing", name)
        arguments = {"load_weights": False, "pretrained_text": False}
    elif directory is None and not model.startswith("hf-hub:"):
        weights, arguments = find_pretrained(model, pretrained)
        arguments |= {"pretrained": weights, "require_pretrained": True}
    else:
        arguments = {"require_pretrained": True}

    try:
        with torch.random.fork_rng(devices=[]):  # random weights: the same in every process
            torch.manual_seed(0)
            clip = open_clip.create_model(model, **arguments)
        return clip, open_clip.get_tokenizer(model, **tokenizer_args)
    except Exception as error:  # open_clip wraps and raises many kinds
        source = arguments.get("pretrained", directory or model)
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"the weights or configuration of teacher {name!r} from {str(source)!r} do not load: "
            f"{reason}; expected weights of exactly this architecture; {FIX}"
        ) from error


def _configured_name(directory: Path) -> str:
    try:
        config = json.loads((directory / CONFIG_NAME).read_text(encoding="utf-8"))
        return str(config.get("name", directory.resolve().name))
    except (json.JSONDecodeError, AttributeError) as error:
        raise UserError(
            f"{directory / CONFIG_NAME} is not a JSON object ({error}); expected open_clip's "
            "{'model_cfg': ..., 'preprocess_cfg': ...}"
        ) from error
