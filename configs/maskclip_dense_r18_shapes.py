"""Dense distillation on OVShapes: unlabelled pixels take the dense teacher's embeddings, no names.

Command:

    ovdistill train maskclip_dense_r18_shapes
    ovdistill test maskclip_dense_r18_shapes \
        work_dirs/maskclip_dense_r18_shapes/last.pth

The inductive form of MaskCLIP+: no novel name is known in training.

Cost: 1000 iterations, about 10 minutes of one CPU core. The teacher sees every image at 1.5 times
its size.
"""

_base_ = ["_base_/segment_r18_shapes.py"]

model = dict(
    distillers=[dict(type="PixelWordTerm"), dict(type="PixelEmbeddingTerm", loss_weight=2.0)]
)
custom_hooks = [dict(type="BuildDenseTeacher", scale=1.0)]
