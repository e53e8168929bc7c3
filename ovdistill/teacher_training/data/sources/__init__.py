"""Sources of training data, one file for each; importing this package registers them."""

from ovdistill.teacher_training.data.sources.class_folders import ImageFolders
from ovdistill.teacher_training.data.sources.coco_boxes import CocoBoxes
from ovdistill.teacher_training.data.sources.coco_captions import CocoCaptions
from ovdistill.teacher_training.data.sources.pair_table import PairTable
from ovdistill.teacher_training.data.sources.webdataset_shards import WebdatasetShards

__all__ = ["CocoBoxes", "CocoCaptions", "ImageFolders", "PairTable", "WebdatasetShards"]
