"""The teacher of the embedded benchmark: a small CLIP of drawn shapes.

    ovdistill teacher train --config teacher_shapes

About 30 minutes on two CPU cores, 1.5 GB of memory. The folder is 3 MB; the one that ships is in
ovdistill/assets/teacher.

Each step embeds crops of all 65 categories in two colours, and captions of them at two levels ("a
striped star", and in turn "a red striped star", "a red star", "star"). Every fourth step has 32
whole images with captions too.
"""

model = dict(
    name="ovshapes-rn",
    model=dict(
        embed_dim=128,
        vision_cfg=dict(
            layers=[1, 2, 2, 1], width=16, head_width=64, patch_size=None, image_size=64
        ),
        text_cfg=dict(context_length=32, width=96, heads=4, layers=2),
    ),
    preprocess_cfg=dict(
        mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], interpolation="bilinear", resize_mode="squash"
    ),
    # the words of the captions and of ViLD's 63 templates, each of them one token
    words="""
        a an and arrow background bad black blotchy blue blurry bright cartoon checkered circle
        clean close cloudy cool corrupted crescent cropped cross cyan dark diamond dirty dotted
        ellipse embroidered good green hard heart hexagon in is itap jpeg large low many my nice
        noisy of on one orange outlined painting pentagon photo pink pixelated plain plastic plushie
        purple red resolution ring scene scribbled see shaded small solid square star striped the
        there this to toy triangle up weird white yellow
    """.split(),
)
data = dict(type="OVShapesCrops", images=8000)
objectives = [dict(type="GroupContrast")]
training = dict(
    steps=2000,
    batch=130,  # crops: two of each category
    learning_rate=2e-3,
    weight_decay=0.05,
    warm_up=60,
    half_weights=True,
)
