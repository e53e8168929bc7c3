"""The open-vocabulary detector: mmdet's two-stage detector with words instead of logits."""

from ovdistill.models.alignment import RegionWordLoss
from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
from ovdistill.models.region_word_head import RegionWordHead
from ovdistill.models.roi_head import OpenVocabularyRoIHead

__all__ = ["OpenVocabularyRCNN", "OpenVocabularyRoIHead", "RegionWordHead", "RegionWordLoss"]
