"""A stand-in for a teacher, and untrained models of its width, for tests of inference."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

CONFIG = Path(__file__).parents[1] / "configs" / "vild_r18_shapes.py"
SEGMENTOR_CONFIG = CONFIG.with_name("lseg_r18_shapes.py")


class TextsByLength(torch.nn.Module):
    """A text's embedding is random, seeded by the length of the text."""

    embed_dim, id = 16, TeacherId("by-length:random", "0123456789abcdef")

    def encode_text(self, texts: list[str], batch_size: int = 256) -> torch.Tensor:
        rows = [
            torch.randn(self.embed_dim, generator=torch.Generator().manual_seed(len(text)))
            for text in texts
        ]
        return torch.nn.functional.normalize(torch.stack(rows), dim=-1)


def save_untrained(folder: Path) -> Path:
    """Write the weights of the detector of ``CONFIG``, initialised with seed 0.

    Its embeddings are nearly the same everywhere; the background is their opposite, so that every
    region is detected.
    """
    torch.manual_seed(0)
    vocabulary = Vocabulary.encode(["any"], TextsByLength(), ("{}",))
    model = build_detector(load_config(CONFIG), vocabulary=vocabulary)
    head = model.roi_head.bbox_head
    with torch.no_grad():
        head.fc_cls.background.copy_(-head(torch.rand(8, 48, 7, 7))[0].mean(0, keepdim=True))
    path = folder / "student.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
    return path


def save_untrained_segmentor(folder: Path) -> Path:
    """Write the weights of the segmentor of ``SEGMENTOR_CONFIG``, initialised with seed 0.

    Its embeddings differ from place to place, so that an image has several names.
    """
    torch.manual_seed(0)
    vocabulary = Vocabulary.encode(["any"], TextsByLength(), ("{}",))
    model = build_detector(load_config(SEGMENTOR_CONFIG), vocabulary=vocabulary)
    with torch.no_grad():
        model.pixel_head.conv_logits.weight.normal_()
    path = folder / "segmentor.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
    return path
