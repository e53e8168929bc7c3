"""Two-stage detector and instance segmenter with a vocabulary in place of a list of classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.models.detectors import TwoStageDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.models.image_level import of_labelled
from ovdistill.models.keep_regions import keep_regions
from ovdistill.models.kept_regions import KeptRegions, classify_regions, region_masks
from ovdistill.models.roi_head import OpenVocabularyRoIHead
from ovdistill.models.teacher_on_crops import TeacherOnCrops
from ovdistill.models.vocabulary_mixin import VocabularyMixin, load_vocabulary
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class OpenVocabularyRCNN(VocabularyMixin, TwoStageDetector):
    """mmdet's two-stage detector, trained on base classes and tested on any classes.

    The RPN, the box regressor and the mask head know no class; the RoI head compares region
    embeddings with the text embeddings of a ``Vocabulary`` (see ``RegionWordHead``).

    Args:
        vocabulary: a ``Vocabulary`` or the path of its file. It determines the embedding width of
            the heads; its class names can be replaced later with ``set_vocabulary``.
        roi_head: config of an ``OpenVocabularyRoIHead``.
        distillers: configs of distillation terms, which are passed to the RoI head.
        channels_last: keep convolution weights, and so feature maps, channels last in memory. On
            the CPU this reduces the time of a training step on OVShapes to 0.87 of it.
        **kwargs: as for mmdet's ``TwoStageDetector``.

    Raises:
        UserError: the vocabulary file is missing or damaged; the RoI head has boxes or masks for
            each class.
    """

    roi_head: OpenVocabularyRoIHead

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path,
        roi_head: ConfigType,
        distillers: Sequence[ConfigType] = (),
        *,
        channels_last: bool = False,
        **kwargs: Any,
    ) -> None:
        vocabulary = load_vocabulary(vocabulary)
        roi_head = roi_head.copy()
        for name in ("bbox_head", "image_head"):
            if roi_head.get(name):
                head = roi_head[name].copy()
                head["num_classes"] = len(vocabulary)
                head["cls_predictor_cfg"] = dict(
                    head["cls_predictor_cfg"], embed_dim=vocabulary.embed_dim
                )
                roi_head[name] = head
        roi_head["distillers"] = list(distillers)
        super().__init__(roi_head=roi_head, **kwargs)
        _check_class_agnostic(self.roi_head)
        if channels_last:
            self.to(memory_format=torch.channels_last)
        self.crop_teacher: TeacherOnCrops | None = None
        self.init_vocabulary(vocabulary)

    @property
    def vocabulary_head(self) -> OpenVocabularyRoIHead:
        """The RoI head."""
        return self.roi_head

    def set_crop_teacher(self, crop_teacher: TeacherOnCrops | None) -> None:
        """Let a teacher classify every box too, from now on; None removes it again.

        The scores of detector and teacher are combined as ViLD-ensemble combines its heads.

        Raises:
            UserError: the teacher is not the one that embedded the vocabulary.
        """
        if crop_teacher is not None:
            given, expected = crop_teacher.teacher.id, self.vocabulary.teacher
            if not expected.is_same(given):
                raise UserError(
                    f"got teacher {given} for the crops; the vocabulary is of teacher {expected}. "
                    "Expected the same: name it with --cfg-options teacher.model=MODEL "
                    "teacher.pretrained=WEIGHTS"
                )
        self.crop_teacher = crop_teacher

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Any]:
        """Return the detection losses and those of the distillation terms, by name.

        On images that have labels for the whole image alone the RPN's losses are zero too.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            batch_data_samples: of the images.
        """
        losses = super().loss(batch_inputs, batch_data_samples)
        rpn = {name: loss for name, loss in losses.items() if "rpn" in name}
        return losses | of_labelled(rpn, batch_data_samples)

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Return the samples with detections, as mmdet's detector does.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            batch_data_samples: of the images; proposals in them replace those of the RPN.
            rescale: return boxes and masks in pixels of the original image.

        Raises:
            UserError: a crop teacher is set, and the image files cannot be read for it.
        """
        if self.crop_teacher is None:
            return super().predict(batch_inputs, batch_data_samples, rescale=rescale)
        x = self.extract_feat(batch_inputs)
        proposals = [sample.get("proposals", None) for sample in batch_data_samples]
        if proposals[0] is None:
            proposals = self.rpn_head.predict(x, batch_data_samples, rescale=False)
        score_crops = self.crop_teacher.of_images(batch_data_samples)
        results = self.roi_head.predict(
            x, proposals, batch_data_samples, rescale=rescale, score_crops=score_crops
        )
        return self.add_pred_to_datasample(batch_data_samples, results)

    def keep_regions(
        self,
        batch: dict[str, list],
        *,
        once: bool = False,
        masks: bool = True,
        boxes: Sequence[Tensor] | None = None,
    ) -> list[KeptRegions]:
        """Compute all that detection needs of images, before any class name is known.

        Args:
            batch: ``inputs`` and ``data_samples`` of N images, as for ``test_step``.
            once: only for the current class names, see ``keep_regions``.
            masks: make the masks of the regions.
            boxes: (n, 4) of each image, xyxy, absolute pixels of the original image, in place of
                the proposals of the RPN.
        """
        data = self.data_preprocessor(batch, training=False)
        x = self.extract_feat(data["inputs"])
        metas = [sample.metainfo for sample in data["data_samples"]]
        if boxes is None:
            proposals = self.rpn_head.predict(x, data["data_samples"], rescale=False)
        else:
            proposals = [_as_proposals(*pair) for pair in zip(boxes, metas, strict=True)]
        return keep_regions(self.roi_head, x, metas, proposals, once=once, masks=masks)

    def classify_regions(self, kept: KeptRegions, **limits: Any) -> InstanceData:
        """Return the detections of the current class names, see ``kept_regions``."""
        return classify_regions(self.roi_head, kept, **limits)

    def region_masks(self, kept: KeptRegions, regions: Tensor) -> Tensor:
        """Return the masks of some regions, see ``kept_regions``."""
        return region_masks(self.roi_head, kept, regions)


def _check_class_agnostic(roi_head: nn.Module) -> None:
    """Raise UserError unless the RoI head has one box and one mask for all classes.

    A cascade has several heads of a kind.
    """
    for name, key in (("bbox_head", "reg_class_agnostic"), ("mask_head", "class_agnostic")):
        found = getattr(roi_head, name, None)
        heads = found if isinstance(found, nn.ModuleList) else [] if found is None else [found]
        if not all(getattr(head, key, False) for head in heads):
            raise UserError(
                f"got {key}=False of roi_head.{name}, mmdet's default; expected one prediction for "
                f"all classes, since class names can be replaced: set roi_head.{name}.{key}=True "
                "in the config's model"
            )


def _as_proposals(boxes: Tensor, meta: dict[str, Any]) -> InstanceData:
    """Return boxes in pixels of the original image as proposals in those of the network input."""
    scaled = boxes * boxes.new_tensor(meta["scale_factor"]).repeat(2)
    return InstanceData(bboxes=scaled, scores=boxes.new_ones(len(boxes)))
