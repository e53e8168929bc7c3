"""Dense distillation on OVShapes: unlabelled pixels take the dense teacher's embeddings, no names.

Command:

    ovdistill train maskclip_dense_r18_shapes
    ovdistill test maskclip_dense_r18_shapes \
        work_dirs/maskclip_dense_r18_shapes/last.pth

The inductive form of MaskCLIP+: no novel name is known in training.

Cost: 3000 iterations, about 24 minutes of one CPU core, half of them for the teacher, which sees
every image.
"""

_base_ = ["_base_/segment_r18_shapes.py"]

model = dict(
    distillers=[dict(type="PixelWordTerm"), dict(type="PixelEmbeddingTerm", loss_weight=2.0)]
)
custom_hooks = [dict(type="BuildDenseTeacher", scale=1.0)]
