"""Semantic segmentation with a vocabulary in place of a list of classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from torch import Tensor

from ovdistill.models.vocabulary_mixin import load_vocabulary
from ovdistill.segmentation.models.pixel_segmentor import PixelSegmentor
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class OpenVocabularySegmentor(PixelSegmentor):
    """Backbone, FPN and a head that embeds every pixel, trained by terms alone.

    A pixel has the class name whose text embedding is next to its own.

    Args:
        vocabulary: a ``Vocabulary`` or the path of its file. It determines the embedding width; its
            class names can be replaced later with ``set_vocabulary``.
        backbone: config of mmdet's backbone.
        neck: config of mmdet's ``FPN``.
        pixel_head: config of a ``PixelWordHead``, without ``embed_dim``.
        distillers: configs of the terms that train it: ``PixelWordTerm`` and others.
        channels_last: as for ``OpenVocabularyRCNN``.
        train_cfg: not used; configs of mmdet have it.
        test_cfg: not used.
        **kwargs: as for mmdet's ``BaseDetector``.

    Raises:
        UserError: the vocabulary file is missing or damaged, or a term needs RoIs or captions.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path,
        backbone: ConfigType,
        neck: ConfigType,
        pixel_head: ConfigType,
        distillers: Sequence[ConfigType] = (),
        *,
        channels_last: bool = False,
        train_cfg: ConfigType | None = None,
        test_cfg: ConfigType | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        vocabulary = load_vocabulary(vocabulary)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.init_pixels(vocabulary, pixel_head, distillers, channels_last=channels_last)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the pyramid levels of (N, 3, H, W) inputs."""
        return self.neck(self.backbone(batch_inputs))
