"""The embedded teacher, and made-up regions of three of four classes."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary.learn import Samples
from ovdistill.vocabulary.learn.samples import BACKGROUND

NAMES = ("striped ring", "striped star", "dotted heart", "plain circle")
IS_BASE = torch.tensor([True, False, True, True])


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher(str(TEACHER_DIR))


@pytest.fixture(scope="module")
def samples(teacher):
    """Regions near the text embedding of their class, in two bins, and background."""
    generator = torch.Generator().manual_seed(0)
    classes = teacher.encode_text([f"a photo of a {name}." for name in NAMES])
    labels = torch.tensor([0, 2, 3, BACKGROUND]).repeat(12)
    noise = torch.randn(48, teacher.embed_dim, generator=generator)
    embeddings = normalize(classes[labels] * (labels >= 0)[:, None] + 0.12 * noise, dim=1).half()
    ious = torch.tensor([0.55, 0.95]).repeat_interleave(24)
    return Samples(embeddings, labels, torch.where(labels < 0, 0.3, ious))
