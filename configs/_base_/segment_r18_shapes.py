"""A segmentor on OVShapes: the detectors' backbone and FPN, and a head that embeds every pixel.

Whoever takes it says which terms train it: ``model = dict(distillers=[...])``. It starts from the
weights of the proposal network, which knows base boxes and no names. The teacher is that of
best_r18_shapes.py: of its embeddings only the directions are kept in which regions differ.
"""

_base_ = ["runtime.py", "segment_shapes_data.py", "schedule_segment_shapes.py", "r18_shapes.py"]

custom_imports = dict(
    imports=["ovdistill.segmentation.register", "ovdistill.training.register"],
    allow_failed_imports=False,
)

vocabulary = "{data_root}/{split}/clip-directions/vocabulary_segmentation.safetensors"
regions = "{data_root}/{split}/clip-directions/regions"
teacher = dict(
    model="ovshapes", embedding_map=["ovshapes-clip", "ovshapes-clip-directions-{split}"]
)
prepare = dict(proposals=_base_.prepare_proposals)
load_from = "{proposals}"

data_preprocessor = dict(_base_.data_preprocessor, pad_mask=False, pad_seg=True, seg_pad_value=-1)
pixel_head = dict(
    type="PixelWordHead",
    in_channels=48,
    inner_channels=96,
    start_level=0,
    end_level=3,
    norm_cfg=dict(type="GN", num_groups=16),
    temperature=0.07,
    upsample=2,  # a position is two pixels wide
)
model = dict(
    type="OpenVocabularySegmentor",
    vocabulary="{vocabulary}",
    distillers=[],
    channels_last=True,
    data_preprocessor=data_preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    pixel_head=pixel_head,
)
