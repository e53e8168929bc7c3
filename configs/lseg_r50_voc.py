"""LSeg on PASCAL VOC 15/5: labelled pixels are aligned with their class names.

Command (8 GPUs of 2 images make the batch of 16; with others, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train lseg_r50_voc --launcher pytorch --amp
    ovdistill test lseg_r50_voc work_dirs/lseg_r50_voc/last.pth

The first command embeds the class names where they are missing.

Cost: 20,000 iterations of batch 16; not measured here.

LSeg publishes no figure on this split. Differences from its released code: ResNet-50 with FPN in
place of ViT-L with DPT and its spatial regularization blocks; CLIP ViT-B/32's texts in 63 prompts
in place of the bare label; the novel names do not compete in training. Not run here.
"""

_base_ = ["_base_/segment_voc_data.py"]

model = dict(_base_.segmentor, distillers=[dict(type="PixelWordTerm")])
