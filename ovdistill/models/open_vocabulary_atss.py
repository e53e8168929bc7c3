"""One-stage detector with a vocabulary instead of a class list: HierKD's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.models.detectors import SingleStageDetector
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.gather import gather_captions, gather_regions, needed_parts, region_rois
from ovdistill.distillation.term import distillation_losses
from ovdistill.models.vocabulary_mixin import VocabularyMixin, load_vocabulary
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class OpenVocabularyATSS(VocabularyMixin, SingleStageDetector):
    """mmdet's one-stage detector, trained on base classes, tested on any.

    Distillation regions are embedded where their centres fall. Terms that look at the pyramid see
    the maps of embeddings.

    Args:
        vocabulary: a ``Vocabulary`` or the path of its file, see ``OpenVocabularyRCNN``.
        distillers: configs of the distillation terms.
        **kwargs: as mmdet's ``SingleStageDetector``, with an ``OpenVocabularyATSSHead``.

    Raises:
        UserError: the vocabulary file is missing or damaged; a term needs RoIs.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path,
        bbox_head: ConfigType,
        distillers: list[ConfigType] | tuple = (),
        **kwargs: Any,
    ) -> None:
        vocabulary = load_vocabulary(vocabulary)
        predictor = dict(bbox_head["cls_predictor_cfg"], embed_dim=vocabulary.embed_dim)
        bbox_head = dict(bbox_head, num_classes=len(vocabulary), cls_predictor_cfg=predictor)
        super().__init__(bbox_head=bbox_head, **kwargs)
        self.distillers = nn.ModuleList(MODELS.build(term) for term in distillers)
        for term in self.distillers:
            if "rois" in term.needs:
                raise UserError(
                    f"{type(term).__name__} needs the RoIs of a two-stage detector; "
                    "OpenVocabularyATSS has none. Use it with OpenVocabularyRCNN."
                )
            term.set_width(vocabulary.embed_dim)
        self.init_vocabulary(vocabulary)

    @property
    def vocabulary_head(self) -> nn.Module:
        """See ``VocabularyMixin``."""
        return self.bbox_head

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Return the detection losses, and those of the distillation terms."""
        if not len(self.distillers):
            return super().loss(batch_inputs, batch_data_samples)
        outputs, embeddings = self.bbox_head.forward_with_embeddings(
            self.extract_feat(batch_inputs)
        )
        instances, ignored, metas = unpack_gt_instances(batch_data_samples)
        losses = self.bbox_head.loss_by_feat(*outputs, instances, metas, ignored)
        inputs = self._distill_inputs(embeddings, batch_data_samples)
        return losses | distillation_losses(self.distillers, inputs)

    def _distill_inputs(self, embeddings: list[Tensor], samples: SampleList) -> DistillInputs:
        """Gather what the terms need; ``embeddings`` has a map (N, D, H_l, W_l) of each level."""
        parts = needed_parts(self.distillers)
        regions = captions = None
        if "regions" in parts:
            rois = region_rois(samples)
            student = self.bbox_head.embed_regions(embeddings, rois[:, 1:], rois[:, 0].long())
            regions = gather_regions(samples, rois, student)
        if "captions" in parts:
            captions = gather_captions(samples)
        return DistillInputs(
            images=len(samples),
            texts=self.bbox_head.fc_cls.as_inputs(),
            features=tuple(embeddings),
            sampled=None,
            regions=regions,
            captions=captions,
        )
