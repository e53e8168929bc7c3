"""The frozen teacher: any open_clip model behind three calls.

Shapes: n texts or images, P regions, D embedding width, S the side of the model's input.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from ovdistill.errors import UserError
from ovdistill.teacher.crops import CropPolicy
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


class Teacher(nn.Module):
    """A frozen CLIP: evaluation mode, no gradients, results in float32.

    Args:
        model: an open_clip model name ("ViT-B-32"), "hf-hub:org/repo", or a directory with
            open_clip_config.json, a .safetensors file and, optionally, bpe.txt.gz (the merges of
            open_clip's SimpleTokenizer) and "name" in the configuration (the teacher's id).
        pretrained: open_clip tag ("openai") or weights file of a model given by name.
        crops: how ``encode_regions`` crops; a CropPolicy or its arguments. Default: 1x and 1.5x.
        device: where the model runs.
        random_weights: the only way to an untrained model, to try code out; logged in capitals.
            The weights are the same in every process.

    Attributes:
        dim: D.
        image_size: S, pixels.
        id: names the teacher in the files made with it, e.g. "ViT-B-32:openai".

    Raises:
        UserError: unknown model, missing or wrong weights, or a needed download while offline
            (HF_HUB_OFFLINE=1 or OVDISTILL_OFFLINE=1).
    """

    def __init__(
        self,
        model: str,
        pretrained: str | None = None,
        crops: CropPolicy | dict[str, Any] | None = None,
        device: str | torch.device = "cpu",
        random_weights: bool = False,
    ) -> None:
        super().__init__()
        self.crops = crops if isinstance(crops, CropPolicy) else CropPolicy(**(crops or {}))
        self.model, self.tokenizer, self.id = _create(str(model), pretrained, random_weights)
        visual = self.model.visual
        size = visual.image_size
        self.image_size: int = size[0] if isinstance(size, tuple | list) else int(size)
        preprocess = visual.preprocess_cfg
        for name in ("mean", "std"):
            value = torch.tensor(preprocess[name], dtype=torch.float32)
            self.register_buffer(name, value.reshape(3, 1, 1), persistent=False)
        self.model.requires_grad_(False).eval()
        visual.to(memory_format=torch.channels_last)  # a third faster on the CPU, same results
        self.to(device)
        with torch.inference_mode():
            self.dim: int = self._encode_batch(["a"]).shape[1]

    def train(self, mode: bool = True) -> Teacher:
        """Stays in evaluation mode, whatever the detector around it does."""
        return super().train(False)

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self.mean.device

    @property
    def temperature(self) -> float:
        """What the model divides cosines by: 1 / exp(logit_scale), 0.01 for OpenAI's CLIP."""
        return float(1 / self.model.logit_scale.exp())

    @cached_property
    def weights_hash(self) -> str:
        """First 16 hex digits of the SHA-256 over the names, shapes and values of the weights."""
        digest = hashlib.sha256()
        for name, value in sorted(self.model.state_dict().items()):
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            digest.update(value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Embeds texts.

        Args:
            texts: n texts, none of them empty.
            batch_size: texts a forward pass.

        Returns:
            (n, D) float32, unit norm, on the teacher's device.

        Raises:
            UserError: for an empty text.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        if empty := [i for i, text in enumerate(texts) if not text.strip()]:
            raise UserError(f"text {empty[0]} is empty; expected words, e.g. 'a red striped star'")
        chunks = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
        with torch.inference_mode():
            parts = [nn.functional.normalize(self._encode_batch(chunk), dim=-1) for chunk in chunks]
        # Joined outside of inference mode: an ordinary tensor, which a loss may take.
        return torch.cat(parts) if parts else torch.zeros(0, self.dim, device=self.device)

    def encode_images(self, images: Tensor) -> Tensor:
        """Embeds pictures of the model's own size.

        Args:
            images: (n, 3, S, S) float RGB in [0, 1].

        Returns:
            (n, D) float32, raw (not unit norm), on the teacher's device.
        """
        with torch.inference_mode():
            images = (images.to(self.device) - self.mean) / self.std
            embeddings = self.model.encode_image(images).float()
        return embeddings.clone()  # an ordinary tensor, which a loss may take

    def encode_regions(self, image: Tensor, boxes: Tensor, batch_size: int = 128) -> Tensor:
        """Embeds regions of a picture, cropped and fused by ``self.crops``.

        Args:
            image: (3, H, W) RGB, uint8 or float in [0, 1].
            boxes: (P, 4) xyxy, absolute pixels of ``image``; P may be 0.
            batch_size: crops a forward pass (on a CPU, more than 128 is slower: caches).

        Returns:
            (P, D) float32, unit norm, on the teacher's device.

        Raises:
            UserError: for a wrong shape, or a box without area or with NaN.
        """
        if image.ndim != 3 or image.shape[0] != 3 or boxes.ndim != 2 or boxes.shape[1] != 4:
            raise UserError(
                f"image {tuple(image.shape)} and boxes {tuple(boxes.shape)}; expected (3, H, W) "
                "RGB and (P, 4) xyxy in pixels"
            )
        if not (boxes[:, 2:] > boxes[:, :2]).all():
            raise UserError("a box without area or with NaN; expected x1 < x2 and y1 < y2")
        with torch.inference_mode():
            image = image.to(self.device)
            image = image.float() / 255 if image.dtype == torch.uint8 else image.float()
            per_chunk = max(1, batch_size // len(self.crops.scales))
            parts = [
                self.crops.fuse_scales(
                    self.encode_images(self.crops.crop(image, chunk, self.image_size))
                )
                for chunk in boxes.split(per_chunk)
                if len(chunk)
            ]
        return torch.cat(parts) if parts else torch.zeros(0, self.dim, device=self.device)

    def _encode_batch(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts)
        full = (tokens[:, -1] != 0).nonzero().flatten().tolist()
        for i in full if hasattr(self.tokenizer, "encode") else []:
            if len(self.tokenizer.encode(texts[i])) + 2 > tokens.shape[1]:
                LOGGER.warning("text cut to the teacher's %d tokens: %s", tokens.shape[1], texts[i])
        return self.model.encode_text(tokens.to(self.device)).float()


def _create(model: str, pretrained: str | None, random_weights: bool) -> tuple[nn.Module, Any, str]:
    """The open_clip model, its tokenizer and the teacher's id."""
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
    teacher_id = name
    if random_weights:
        LOGGER.warning("RANDOM TEACHER WEIGHTS: %s is untrained, its embeddings mean nothing", name)
        arguments = {"load_weights": False, "pretrained_text": False}
        teacher_id = f"{name}:random"
    elif directory is None and not model.startswith("hf-hub:"):
        weights, arguments = find_pretrained(model, pretrained)
        arguments |= {"pretrained": weights, "require_pretrained": True}
        teacher_id = f"{name}:{Path(pretrained or '').name}"
    else:
        arguments = {"require_pretrained": True}

    try:
        with torch.random.fork_rng(devices=[]):  # random weights: the same in every process
            torch.manual_seed(0)
            clip = open_clip.create_model(model, **arguments)
        return clip, open_clip.get_tokenizer(model, **tokenizer_args), teacher_id
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
