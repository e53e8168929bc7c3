"""OVShapes: the embedded open-vocabulary benchmark (drawn pictures, LVIS and COCO format)."""
