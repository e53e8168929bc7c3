"""One-stage detector with a vocabulary in place of a fixed list of classes: HierKD's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.models.detectors import SingleStageDetector
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.gather import gather_captions, gather_regions, region_rois
from ovdistill.distillation.term import DistillationTerms
from ovdistill.models.atss_head import OpenVocabularyATSSHead
from ovdistill.models.image_level import is_image_level, of_labelled
from ovdistill.models.vocabulary_mixin import VocabularyMixin, load_vocabulary
from ovdistill.vocabulary import Vocabulary

PARTS = ("regions", "overlap", "captions")  # of ``DistillInputs``, which it can fill for terms


@MODELS.register_module()
class OpenVocabularyATSS(VocabularyMixin, SingleStageDetector):
    """mmdet's one-stage detector, trained on base classes and tested on any classes.

    Distillation regions get the embedding nearest to their centre. Terms that look at pyramid
    levels see the maps of embeddings.

    Args:
        vocabulary: a ``Vocabulary`` or the path of its file, see ``OpenVocabularyRCNN``.
        bbox_head: config of an ``OpenVocabularyATSSHead``.
        distillers: configs of the distillation terms.
        **kwargs: as for mmdet's ``SingleStageDetector``.

    Raises:
        UserError: the vocabulary file is missing or damaged; a term needs a part that it lacks.
    """

    bbox_head: OpenVocabularyATSSHead

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path,
        bbox_head: ConfigType,
        distillers: Sequence[ConfigType] = (),
        **kwargs: Any,
    ) -> None:
        vocabulary = load_vocabulary(vocabulary)
        predictor = dict(bbox_head["cls_predictor_cfg"], embed_dim=vocabulary.embed_dim)
        bbox_head = dict(bbox_head, num_classes=len(vocabulary), cls_predictor_cfg=predictor)
        super().__init__(bbox_head=bbox_head, **kwargs)
        terms = [MODELS.build(term) for term in distillers]
        self.distillers = DistillationTerms(terms, vocabulary.embed_dim, PARTS)
        self.init_vocabulary(vocabulary)

    @property
    def vocabulary_head(self) -> OpenVocabularyATSSHead:
        """The dense head."""
        return self.bbox_head

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Return the detection losses and those of the distillation terms, by name.

        On images that have labels for the whole image alone the detection losses are zero.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            batch_data_samples: of the images.
        """
        if not len(self.distillers):
            losses = super().loss(batch_inputs, batch_data_samples)
            return of_labelled(losses, batch_data_samples)
        outputs, embeddings = self.bbox_head.forward_with_embeddings(
            self.extract_feat(batch_inputs)
        )
        instances, ignored, metas = unpack_gt_instances(batch_data_samples)
        losses = self.bbox_head.loss_by_feat(*outputs, instances, metas, ignored)
        inputs = self._distill_inputs(embeddings, batch_data_samples)
        return of_labelled(losses, batch_data_samples) | self.distillers.losses(inputs)

    def _distill_inputs(self, embeddings: list[Tensor], samples: SampleList) -> DistillInputs:
        """Gather what the terms need; ``embeddings`` has a map (N, D, H_l, W_l) of each level."""
        regions = captions = None
        if "regions" in self.distillers.needs:
            rois = region_rois(samples)
            student = self.bbox_head.embed_regions(embeddings, rois[:, 1:], rois[:, 0].long())
            level = self.bbox_head.region_levels(rois[:, 1:])
            regions = gather_regions(samples, rois, student, level)
        if "captions" in self.distillers.needs:
            captions = gather_captions(samples)
        return DistillInputs(
            images=len(samples),
            texts=self.bbox_head.fc_cls.texts(),
            features=tuple(embeddings),
            sampled=None,
            regions=regions,
            captions=captions,
            image_level=is_image_level(samples),
        )
