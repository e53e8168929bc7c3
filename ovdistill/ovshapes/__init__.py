"""OVShapes: the embedded open-vocabulary benchmark, drawn images in COCO and LVIS format."""
