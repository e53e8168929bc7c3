"""Two-stage detector and instance segmenter with a vocabulary instead of a class list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from mmdet.models.detectors import TwoStageDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType
from torch import Tensor

from ovdistill.errors import UserError
from ovdistill.models.teacher_mark import TeacherMark
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ovdistill.inference.teacher_on_crops import TeacherOnCrops


@MODELS.register_module()
class OpenVocabularyRCNN(TwoStageDetector):
    """mmdet's two-stage detector, trained on base words, tested on any.

    The RPN, the box regressor and the mask head know no class; the RoI head compares region
    embeddings with the words of a ``Vocabulary`` (see ``RegionWordHead``).

    Args:
        vocabulary: a ``Vocabulary`` or the path of its file. It fixes the embedding width of the
            heads; its words can be replaced later with ``set_vocabulary``.
        distillers: configs of distillation terms, handed to the RoI head.
        channels_last: keep convolution weights, and so feature maps, channels last in memory. On
            the CPU a training step on OVShapes takes 0.87 of the time.
        **kwargs: as mmdet's ``TwoStageDetector``.

    Raises:
        UserError: the vocabulary file is missing or damaged.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path,
        roi_head: ConfigType,
        distillers: list[ConfigType] | tuple = (),
        channels_last: bool = False,
        **kwargs,
    ) -> None:
        if not isinstance(vocabulary, Vocabulary):
            vocabulary = Vocabulary.load(vocabulary)
        roi_head = roi_head.copy()
        for name in ("bbox_head", "image_head"):
            if roi_head.get(name):
                head = roi_head[name].copy()
                head["num_classes"] = len(vocabulary)
                head["cls_predictor_cfg"] = dict(
                    head["cls_predictor_cfg"], embed_dim=vocabulary.dim
                )
                roi_head[name] = head
        roi_head["distillers"] = list(distillers)
        super().__init__(roi_head=roi_head, **kwargs)
        if channels_last:
            self.to(memory_format=torch.channels_last)
        self.teacher_mark = TeacherMark(vocabulary.made_by)
        self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words; label ``i`` of a detection is then ``vocabulary.names[i]``.

        Raises:
            UserError: the vocabulary's width or teacher is not that of this detector's embeddings.
        """
        vocabulary.check_width(self.roi_head.bbox_head.fc_cls.project.out_features)
        self.teacher_mark.check(vocabulary.made_by)
        self.vocabulary = vocabulary
        self.roi_head.set_vocabulary(vocabulary)

    def set_crop_teacher(self, crop_teacher: TeacherOnCrops | None) -> None:
        """From now on every box is named by a teacher too; None goes back to the detector alone.

        The two are combined as ViLD-ensemble combines its heads.

        Raises:
            UserError: the teacher is not the one that embedded the words.
        """
        if crop_teacher is not None:
            given, words = crop_teacher.teacher.identity, self.vocabulary.made_by
            if not words.is_same(given):
                raise UserError(
                    f"got teacher {given} for the crops; the words are of teacher {words}. "
                    "Expected the same: name it with --cfg-options teacher.model=MODEL "
                    "teacher.pretrained=WEIGHTS"
                )
        self.roi_head.crop_teacher = crop_teacher

    def predict(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True
    ) -> SampleList:
        """As mmdet's."""
        if self.roi_head.crop_teacher is not None:
            self.roi_head.crop_teacher.look_at(batch_inputs)
        return super().predict(batch_inputs, batch_data_samples, rescale=rescale)
