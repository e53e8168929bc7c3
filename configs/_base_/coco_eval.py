"""Evaluation by COCO's AP of boxes; who takes it gives val images and the pipeline."""

val_dataloader = dict(
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
    ),
)
test_dataloader = val_dataloader
val_instances = dict(
    type="OVMetric", ann_file="{data_root}/{val_ann}", protocol="coco", metrics=("bbox",)
)
val_evaluator = [val_instances]
test_evaluator = val_evaluator
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
