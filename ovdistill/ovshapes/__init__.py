"""OVShapes: the embedded open-vocabulary benchmark (drawn images, LVIS and COCO format)."""
