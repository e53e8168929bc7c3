"""MaskCLIP+ on PASCAL VOC 15/5: unlabelled pixels get names of the dense teacher, then its own.

Command (8 GPUs of 2 images make the published batch of 16; with others, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train maskclip_plus_r50_voc \
        --launcher pytorch --amp
    ovdistill test maskclip_plus_r50_voc work_dirs/maskclip_plus_r50_voc/last.pth

The first command embeds the class names where they are missing. The unseen names, and which pixels
are of them, are known in training, as in the paper.

Cost: 20,000 iterations of batch 16; the teacher sees the images of the first 2,000. Not measured
here.
Expected: mIoU of the unseen classes 86.1 (the paper, with DeepLabv2-ResNet101). Not
reproduced here.

Differences from the released code: ResNet-50 with FPN in place of DeepLabv2-ResNet101; AdamW in
place of SGD; pseudo labels are made on the student's grid, not at full size.
"""

_base_ = ["_base_/segment_voc_data.py"]

# the paper's teacher; another than that of lseg_r50_voc, so it has a vocabulary of its own
teacher = dict(model="ViT-B-16-quickgelu", pretrained="openai")
vocabulary = "data/voc/vocabulary_segmentation_b16.safetensors"
model = dict(
    _base_.segmentor,
    distillers=[dict(type="PseudoLabelTerm", self_training_after=2000)],
)
custom_hooks = [dict(type="BuildDenseTeacher")]
