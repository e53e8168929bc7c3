"""One-stage detector with a vocabulary instead of a class list: HierKD's own."""

from __future__ import annotations

from pathlib import Path

from mmdet.models.detectors import SingleStageDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType
from torch import Tensor, nn

from ovdistill.errors import UserError
from ovdistill.methods.distiller import DistillInputs, distillation_losses
from ovdistill.methods.inputs import gather_captions, gather_regions, needed, region_rois
from ovdistill.models.teacher_mark import TeacherMark
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class OpenVocabularyATSS(SingleStageDetector):
    """mmdet's one-stage detector, trained on base words, tested on any.

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
        **kwargs,
    ) -> None:
        if not isinstance(vocabulary, Vocabulary):
            vocabulary = Vocabulary.load(vocabulary)
        predictor = dict(bbox_head["cls_predictor_cfg"], embed_dim=vocabulary.dim)
        bbox_head = dict(bbox_head, num_classes=len(vocabulary), cls_predictor_cfg=predictor)
        super().__init__(bbox_head=bbox_head, **kwargs)
        self.distillers = nn.ModuleList(MODELS.build(term) for term in distillers)
        for term in self.distillers:
            if "rois" in term.needs:
                raise UserError(
                    f"{type(term).__name__} needs the RoIs of a two-stage detector; "
                    "OpenVocabularyATSS has none. Use it with OpenVocabularyRCNN."
                )
            term.set_width(vocabulary.dim)
        self.teacher_mark = TeacherMark(vocabulary.made_by)
        self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words; label ``i`` of a detection is then ``vocabulary.names[i]``.

        Raises:
            UserError: the vocabulary's width or teacher is not that of this detector's embeddings.
        """
        vocabulary.check_width(self.bbox_head.fc_cls.project.out_features)
        self.teacher_mark.check(vocabulary.made_by)
        self.vocabulary = vocabulary
        self.bbox_head.set_vocabulary(vocabulary)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Detection losses, and those of the distillation terms."""
        losses = super().loss(batch_inputs, batch_data_samples)
        if not len(self.distillers):
            return losses
        parts = needed(self.distillers)
        regions = captions = None
        if "regions" in parts:
            rois = region_rois(batch_data_samples)
            student = self.bbox_head.embed_regions(rois[:, 1:], rois[:, 0].long())
            regions = gather_regions(batch_data_samples, rois, student)
        if "captions" in parts:
            captions = gather_captions(batch_data_samples)
        inputs = DistillInputs(
            images=len(batch_data_samples),
            words=self.bbox_head.fc_cls.as_inputs(),
            features=tuple(self.bbox_head.embeddings),
            sampled=None,
            regions=regions,
            captions=captions,
        )
        return losses | distillation_losses(self.distillers, inputs)
