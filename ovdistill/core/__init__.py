"""What every other package of ovdistill builds on: files, images, checkpoints, identities.

Nothing here imports mmengine, mmcv or mmdet; ``mmcv_ops`` touches mmcv only when it is called.
"""
