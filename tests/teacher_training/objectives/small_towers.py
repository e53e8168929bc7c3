"""Small real towers: a ViT or a ResNet of open_clip, and a text tower with OVShapes' words."""

from __future__ import annotations

from typing import Any

from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.teacher.open_clip_model import BPE_NAME
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers

LENGTH = 8  # tokens of a text
SIZE = 64
IMAGE: dict[str, dict[str, Any]] = {
    "vit": dict(image_size=SIZE, layers=1, width=32, head_width=16, patch_size=16),
    "resnet": dict(image_size=SIZE, layers=[1, 1, 1, 1], width=8, head_width=16, patch_size=None),
}


def small_towers(kind: str) -> OpenCLIPTowers:
    """Untrained towers for training; torch's generator draws their weights."""
    tokenizer = SimpleTokenizer(str(TEACHER_DIR / BPE_NAME), context_length=LENGTH)
    words = len(tokenizer.encoder)
    text = dict(context_length=LENGTH, vocab_size=words, width=32, heads=2, layers=1)
    model = CLIP(embed_dim=32, vision_cfg=IMAGE[kind], text_cfg=text)
    model.visual.preprocess_cfg = dict(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    return OpenCLIPTowers(model, tokenizer).train()
