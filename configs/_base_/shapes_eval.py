"""Evaluation on OVShapes: val and test images; who takes it gives the pipeline."""

val_ann = "annotations/instances_val.json"
test_ann = "annotations/instances_test.json"

val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="OVDataset",
        vocabulary="{vocabulary}",
        labelled="all",
        data_root="{data_root}",
        ann_file="{val_ann}",
        data_prefix=dict(img="images/"),
        test_mode=True,
    ),
)
test_dataloader = dict(
    val_dataloader, dataset=dict(val_dataloader["dataset"], ann_file="{test_ann}")
)
val_instances = dict(type="OVMetric", ann_file="{data_root}/{val_ann}", protocol="lvis")
test_instances = dict(val_instances, ann_file="{data_root}/{test_ann}")
val_evaluator = [
    val_instances,
    dict(type="ProposalRecall", ann_file="{data_root}/{val_ann}"),
]
test_evaluator = [
    test_instances,
    dict(type="ProposalRecall", ann_file="{data_root}/{test_ann}"),
]
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
