"""Semantic segmentation by the masks of a detector: class-agnostic masks that are then named.

Shapes: N images, n masks of an image, D embedding width, W class names, H x W pixels of an original
image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType
from mmengine.structures import PixelData
from torch import Tensor
from torchvision.ops import nms

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.models.keep_regions import keep_regions
from ovdistill.models.kept_regions import KeptRegions, region_masks, score_regions
from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
from ovdistill.models.vocabulary_mixin import load_vocabulary
from ovdistill.segmentation.best_names import PixelScores
from ovdistill.segmentation.losses.mask_word import geometric_ensemble, pool_masks
from ovdistill.segmentation.mask_boxes import shares_of_grid
from ovdistill.segmentation.models.mixed_scores import MixedScores
from ovdistill.segmentation.models.pixel_segmentor import PixelSegmentor
from ovdistill.segmentation.panoptic import join_panoptic
from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True)
class NamedImage:
    """The named masks of an image, and its named pixels.

    Attributes:
        masks: (n, H, W) bool.
        scores: (n, W) probabilities of the class names of each mask.
        pixels: the scores of the class names at pixels.
    """

    masks: Tensor
    scores: Tensor
    pixels: PixelScores


@MODELS.register_module()
class MaskWordSegmentor(PixelSegmentor):
    """Names the masks of a trained detector; a pixel head names the pixels of no mask.

    The detector is frozen: the pixel head is trained on its pyramid. At each pixel the names have
    the scores of the masks there (ZegFormer: the sum of a mask's probabilities times the mask), as
    far as the masks are of objects; the rest up to 1 is left to the pixel head.

    Args:
        vocabulary: see ``OpenVocabularySegmentor``.
        detector: config of an ``OpenVocabularyRCNN`` with masks, with ``init_cfg=dict(type=
            "Pretrained", checkpoint=...)``; its vocabulary is that of the segmentor. Such a
            checkpoint must have all of its parameters, since none is trained here.
        pixel_head: see ``OpenVocabularySegmentor``.
        distillers: the terms that train the pixel head.
        least_object: masks are left out of everything whose names have a smaller probability
            together; of a detector without background, whose best name has. It is low: a label map
            mixes masks by how far they are of objects, so unsure ones do little harm.
        iou: of two boxes that overlap more, the one that is less of an object is left out.
        most: the largest number of masks of an image.
        stuff: class names without instances, such as sky, compared after they are cleaned. The
            others have instances, and ``predict`` joins the masks and the label map to a panoptic
            map too. None: label maps alone. A vocabulary that is set later may lack them.
        least_score: masks whose best name has a smaller probability are no instances of the
            panoptic map, where each would be a segment as sure as the others; label maps still mix
            them. See ``join_panoptic``.
        least_area: see ``join_panoptic``.
        teacher_share: exponents of the teacher for base and novel names; the teacher names every
            mask by its dense embeddings there, in testing too (FC-CLIP, 0.4 and 0.8). None: the
            detector alone names masks.
        channels_last: see ``OpenVocabularySegmentor``.
        train_cfg: not used.
        test_cfg: not used.
        **kwargs: as for mmdet's ``BaseDetector``.

    Raises:
        UserError: stuff that the vocabulary file of the config lacks, or see
            ``OpenVocabularySegmentor``.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path,
        detector: ConfigType,
        pixel_head: ConfigType,
        distillers: Sequence[ConfigType] = (),
        *,
        least_object: float = 0.05,
        iou: float = 0.5,
        most: int = 100,
        stuff: Sequence[str] | None = None,
        least_score: float = 0.0,
        least_area: int = 64,
        teacher_share: tuple[float, float] | None = None,
        channels_last: bool = False,
        train_cfg: ConfigType | None = None,
        test_cfg: ConfigType | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(vocabulary, Vocabulary):  # a user's own names are given as an object
            vocabulary = load_vocabulary(vocabulary)
            _check_stuff(stuff or (), vocabulary)
        self.detector: OpenVocabularyRCNN = MODELS.build(dict(detector, vocabulary=vocabulary))
        self.detector.requires_grad_(requires_grad=False)
        _require_all_weights(self.detector)
        self.least_object = least_object
        self.iou = iou
        self.most = most
        self.stuff = None if stuff is None else frozenset(map(clean_name, stuff))
        self.least_score = least_score
        self.least_area = least_area
        self.teacher_share = teacher_share
        self.init_pixels(vocabulary, pixel_head, distillers, channels_last=channels_last)

    def train(self, mode: bool = True) -> MaskWordSegmentor:  # noqa: FBT001, FBT002 - torch's
        """Train the pixel head alone: the statistics of the detector's layers stay too."""
        super().train(mode)
        self.detector.eval()
        return self

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names of the pixel head and of the detector."""
        super().set_vocabulary(vocabulary)
        self.detector.set_vocabulary(vocabulary)

    @property
    def needs_dense_teacher(self) -> bool:
        """Whether a term or the naming of masks needs the teacher."""
        return super().needs_dense_teacher or self.predicts_with_teacher

    @property
    def predicts_with_teacher(self) -> bool:
        """Whether the teacher names masks."""
        return self.teacher_share is not None

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the detector's pyramid levels, without gradients."""
        with torch.no_grad():
            return self.detector.extract_feat(batch_inputs)

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Return the samples with ``pred_sem_seg``, and with stuff ``pred_panoptic_seg`` too.

        The latter has ``sem_seg`` and ``segments``, both (1, H, W) int64, see ``join_panoptic``.
        For the arguments see ``PixelSegmentor``.
        """
        for sample, image in zip(
            batch_data_samples, self._name_images(batch_inputs, batch_data_samples), strict=True
        ):
            sample.pred_sem_seg = self._label_map(image.pixels, sample)
            if self.stuff is not None:
                sample.pred_panoptic_seg = self._panoptic(image, sample.pred_sem_seg.sem_seg[0])
        return batch_data_samples

    def score_pixels(self, batch_inputs: Tensor, samples: SampleList) -> Iterator[PixelScores]:
        """Yield what returns the scores of class names; see ``PixelSegmentor``."""
        return (image.pixels for image in self._name_images(batch_inputs, samples))

    def _panoptic(self, image: NamedImage, label_map: Tensor) -> PixelData:
        """Return a panoptic map of the named masks and a (H, W) label map."""
        assert self.stuff is not None
        is_thing = torch.tensor(
            [clean_name(name) not in self.stuff for name in self.vocabulary.names],
            device=label_map.device,
        )
        scores, labels = image.scores.max(dim=1)
        of_things = is_thing[labels]
        rows, segments = join_panoptic(
            image.masks[of_things],
            labels[of_things],
            scores[of_things],
            label_map,
            is_thing,
            least_score=self.least_score,
            least_area=self.least_area,
        )
        return PixelData(sem_seg=rows[None], segments=segments[None])

    def _name_images(self, batch_inputs: Tensor, samples: SampleList) -> Iterator[NamedImage]:
        """Yield the named masks and pixels of each image."""
        x = self.extract_feat(batch_inputs)
        pixels = self.pixel_head.embed(x)
        metas = [sample.metainfo for sample in samples]
        proposals = self.detector.rpn_head.predict(x, samples, rescale=False)
        regions = keep_regions(self.detector.roi_head, x, metas, proposals, once=True)
        for index, (kept, meta) in enumerate(zip(regions, metas, strict=True)):
            masks, scores = self.name_masks(kept, batch_inputs[index : index + 1])
            grid = self.pixel_head.log_scores(pixels[index : index + 1])[0].exp()
            yield NamedImage(masks, scores, MixedScores(masks, scores, grid, meta))

    def name_masks(self, kept: KeptRegions, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the masks of an image's objects, and their class names.

        Args:
            kept: the regions of the image.
            inputs: (1, 3, h, w) the image after preprocessing.

        Returns:
            (n, H, W) bool, and (n, W) probabilities of the class names, which together are that of
            being an object.
        """
        boxes, scores, index = score_regions(self.detector.roi_head, kept)
        names = scores[:, :-1]
        objects = names.sum(dim=1).clamp(max=1)
        # without a background those of a softmax always add up to 1, whatever is in the box
        head = self.detector.roi_head.bbox_head.fc_cls
        certain = objects if head.background is not None else names.amax(dim=1)
        chosen = (certain >= self.least_object).nonzero()[:, 0]
        chosen = chosen[nms(boxes[chosen], certain[chosen], self.iou)[: self.most]]
        masks = region_masks(self.detector.roi_head, kept, index[chosen])
        names, objects = names[chosen], objects[chosen, None]
        if self.teacher_share is not None and len(chosen):
            of_teacher = self._judged_by_teacher(masks, inputs, kept.meta)
            of_student = (names / objects).clamp(min=1e-8).log()
            is_base = self.pixel_head.is_base
            alpha, beta = self.teacher_share
            names = objects * geometric_ensemble(of_student, of_teacher, is_base, alpha, beta).exp()
        return masks, names

    def _judged_by_teacher(self, masks: Tensor, inputs: Tensor, meta: dict[str, Any]) -> Tensor:
        """Return the (n, W) log-probabilities of the class names of masks by the dense teacher."""
        dense = self.dense_teacher_or_error().embed(self._as_images(inputs))[0]
        # masks come to the grid, as in FC-CLIP: D channels at full size take gigabytes
        grid = (dense.shape[1], dense.shape[2])
        pooled = pool_masks(dense, shares_of_grid(masks, grid, meta))
        temperature = self.dense_teacher_or_error().teacher.temperature
        return (pooled @ self.pixel_head.text_embeddings.T / temperature).log_softmax(dim=-1)


def _require_all_weights(detector: OpenVocabularyRCNN) -> None:
    """Let the initializer refuse a checkpoint that lacks parameters: they would stay random."""
    initializers = detector.init_cfg or []
    for own in [initializers] if isinstance(initializers, dict) else initializers:
        if own["type"] == "Pretrained":
            own["strict"] = True


def _check_stuff(stuff: Sequence[str], vocabulary: Vocabulary) -> None:
    """Raise UserError for names that are none of the vocabulary: they would be things, unsaid."""
    known = {clean_name(name) for name in vocabulary.names}
    if unknown := [name for name in stuff if clean_name(name) not in known]:
        raise UserError(
            f"stuff has {unknown[0]!r:.60}, one of {len(unknown)} names that are none of the "
            f"vocabulary ({', '.join(vocabulary.names[:5])}, ...); expected names of it. Spell "
            "them as the vocabulary does, or leave them out of model.stuff."
        )
