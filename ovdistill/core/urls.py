"""Addresses at which the official data sets are published."""

COCO = "http://images.cocodataset.org"
COCO_ANNOTATIONS = f"{COCO}/annotations/annotations_trainval2017.zip"
LVIS = "https://dl.fbaipublicfiles.com/LVIS"
