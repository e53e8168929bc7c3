"""A ViLD-ensemble detector of LVIS on other data: all of their classes, none base or novel.

Whoever takes it says where the images are and how many detections count.
"""

_base_ = ["runtime.py", "clip_b32.py", "coco_eval.py", "pipeline_1024.py", "r50.py"]

vocabulary = "{cache}/vocabulary_transfer.safetensors"
prepare = dict(
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/{val_ann}",
        split=[],  # no class is novel: all count alike
        templates="vild63",
        embeddings=None,
    ),
)
# no class is base, so one share of the text head for all, as in DetPro; boxes alone are compared
detector = _base_.open_vocabulary_rcnn
model = dict(
    detector,
    roi_head=dict(detector.roi_head, image_head=_base_.image_head, fixed_share=0.6),
    test_cfg=dict(detector.test_cfg, rcnn=dict(detector.test_cfg.rcnn, without_masks=True)),
)

val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
