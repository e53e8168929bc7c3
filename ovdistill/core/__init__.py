"""The ground floor: what every other room stands on. No file here but ``mmcv_ops`` needs mmdet."""
