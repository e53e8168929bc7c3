"""A ViLD-ensemble detector of LVIS on other data: every word of theirs, none of them base or novel.

Whoever takes it says where the images are and how many detections count.
"""

_base_ = ["runtime.py", "clip_b32.py", "images_1024.py", "vild_r50.py"]

vocabulary = "{cache}/vocabulary_transfer.safetensors"
prepare = dict(
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/{val_ann}",
        split=[],  # no word is novel: all count alike
        templates="vild63",
        embeddings=None,
    ),
)
# no word is base, so one share of the text head for all, as in DetPro; boxes alone are compared
model = dict(
    roi_head=dict(image_head=_base_.image_head, fixed_share=0.6),
    test_cfg=dict(rcnn=dict(without_masks=True)),
)

test_pipeline = _base_.fitted_1024
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="OVDataset",
        vocabulary="{vocabulary}",
        labelled="all",
        data_root="{data_root}",
        ann_file="{val_ann}",
        data_prefix=dict(img="{val_images}"),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_evaluator = [
    dict(type="OVMetric", ann_file="{data_root}/{val_ann}", protocol="coco", metrics=("bbox",)),
]

# nothing is trained
train_cfg = None
val_cfg = None
optim_wrapper = None
param_scheduler = None
auto_scale_lr = None
