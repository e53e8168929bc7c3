"""ViLD* on OV-LVIS: ViLD-ensemble as DetPro's code trains it, in 20 epochs of batch 16.

The recipe of ViLD's kind that 8 GPUs, or one, can afford: a nineteenth of vild_ens_r50_lvis.py's
images. detpro_r50_lvis.py is the same with learned prompts.

Command (8 GPUs of 2 images make the published batch of 16):

    torchrun --nproc_per_node 8 -m ovdistill train vild_star_r50_lvis --launcher pytorch --amp
    ovdistill test vild_star_r50_lvis work_dirs/vild_star_r50_lvis/last.pth

On one GPU: with memory for it the published batch, `--cfg-options train_dataloader.batch_size=16`;
else batches of 2 with the learning rate for them, `--auto-scale-lr`, or 8 of them for each step,
`--cfg-options optim_wrapper.accumulative_counts=8` (the warm-up is then 63 steps). It trains 20
epochs in any case.

Before it, once (on fewer GPUs see rpn_r50_lvis.py):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_lvis --launcher pytorch

The first command embeds the class names and the regions where they are missing.

Cost, computed and not measured:

- Images: an epoch has 99,342 images with a base box, and at most 120,000 with the repeated ones
  (bound by LVIS's counts of images of each class); 20 epochs have 2.4 million, ViLD's 46.
- Time: a forward pass has 380 to 410 billion multiplications for an image of 800 x 1088 with 885
  regions, 1.8 times those of mmdet's Mask R-CNN (`benchmarks/training_cost.py`, at smaller sizes
  and numbers, in proportion). At a 1.8th of published speeds of Mask R-CNN: 8 A100 with --amp
  (209 images/s, NVIDIA's DeepLearningExamples) 6 hours, one 2 days; 8 V100 in float32 (62 images/s,
  detectron2) 19 hours, one 6.5 days. A user of the released code reports 2 days (issue 23 of
  github.com/dyabel/detpro).
- Memory of a GPU: 3 to 3.5 GB an image in float32 (1.9 of them for backbone, pyramid and RPN), and
  0.7 GB for weights, gradients and momentum: 8 GB for 2 images, 57 GB for 16; about half with
  --amp. What cuDNN and the allocator take comes on top.
- Regions: at most 1,000 of 100,170 images, 105 GB on disk and 200 million crops for the teacher: at
  least 25 hours of an A100 in float32, the default, and 3 with `--precision bf16` (computed, see
  docs/scale.md); with `prepare.regions.per_image=300`, ViLD's number, 31 GB, and 7.5 hours or one.
  `ovdistill extract --config vild_star_r50_lvis --dry-run` measures it on your machine.

Expected: mask AP novel/common/frequent/all 16.8/25.6/28.5/25.2, box 17.4/27.5/31.9/27.5 (README of
the released code), from SoCo's initial weights. Not reproduced here.

Initial weights: the published ones are a whole detector (backbone, pyramid, box head) that SoCo
(github.com/hologerry/SoCo) has trained without labels; the README of DetPro's code links the file.
It is downloaded by hand, so the default is torchvision's ResNet-50 of ImageNet: the published
figures do not hold for it, expect less. With SoCo's file (its tensors' names were not verified
here; too few that fit are an error):

    torchrun --nproc_per_node 8 -m ovdistill train vild_star_r50_lvis --launcher pytorch --amp \
        --cfg-options load_from=current_mmdetection_Head.pth \
        model.backbone.init_cfg=None model.backbone.style=caffe

Known differences from the released code: the regions' RPN has a ResNet-50, not 101: the one that
all recipes here share; regions are cut from the image as it is on disk and their corners rounded,
where the code cuts from a training image that was resized and perhaps flipped at random, so that a
store is the same every time it is made; embeddings are on disk in float16; the background is one
learned vector, not the sum of two (the same function, with half the step). Equal to it: crops by
CLIP's own preprocessing, at 1x and 1.5x, black outside of the image, raw sum; all of the RPN's best
1,000 boxes; names with underscores and parentheses in 74 templates, no synonyms; novel classes out
of the softmax; temperature 0.01 in training and 0.007 in testing; repeat factors by base classes;
images without a base box left out.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/lvis_eval.py",
    "_base_/pipeline_1333.py",
    "_base_/r50_detpro.py",
    "_base_/schedule_detpro.py",
]

teacher = dict(crops=_base_.clip_crops)
vocabulary = "{cache}/vocabulary_detpro74.safetensors"
regions = "{cache}/regions_detpro"
prepare = dict(
    vocabulary=dict(templates="detpro74", synonyms=False),
    proposals=dict(network="rpn_r50_lvis.py", checkpoint="{proposals}"),
    regions=dict(path="{regions}", per_image=1000),
)

load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=1000)]
train_pipeline = [*_base_.load_masks, *load_regions, *_base_.augment_scales, *_base_.pack]
train_dataloader = dict(
    batch_size=2,
    sampler=_base_.sampler,
    dataset=dict(
        _delete_=True,
        type="ClassBalancedDataset",
        oversample_thr=1e-3,
        dataset=dict(_base_.train_dataloader.dataset, pipeline=train_pipeline),
    ),
)
default_hooks = dict(checkpoint=_base_.each_epoch)
log_processor = dict(by_epoch=True)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
