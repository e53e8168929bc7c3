"""The RPN within the proposal network of OVShapes, for the hard variant of the benchmark.

Its boxes fit worse than those of the second stage, and unlabelled objects were negatives when it
was trained. Of 30 of its boxes in an image a fifth lie on objects (IoU >= 0.5; of the second
stage's ten, two of five). It takes the shipped weights of proposals_r18_shapes;
`ovdistill train rpn_r18_shapes` trains the same network.

    ovdistill compare --geometry hard --rows text vild vouch -o work_dirs/compare

Cost: none, its weights ship with the package.
"""

_base_ = ["proposals_r18_shapes.py"]

model = dict(
    type="RPNProposals",
    test_cfg=dict(rpn=dict(nms=dict(type="nms", iou_threshold=0.4))),
)
