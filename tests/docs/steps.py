"""Which documented commands are run, and how; and which are not, and why.

A command that is in neither of the tables makes a test fail; so does an entry without a command.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# a training of two steps
TINY = (
    "train_cfg.max_iters=2",
    "train_cfg.val_interval=9",
    "train_dataloader.batch_size=2",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "prepare.regions.per_image=4",
)
SMALL_TRAINING = TINY[:-1]  # of a recipe without regions
ALONE = ("test_dataloader.num_workers=0", "test_dataloader.persistent_workers=False")
SHAPES = "data/ovshapes"
MADE = f"{SHAPES}/shape/clip"  # vocabulary and regions
VAL = f"{SHAPES}/annotations/instances_val.json"


@dataclass(frozen=True)
class Step:
    """A command that runs.

    Attributes:
        text: the command as a page shows it, or one of our own that prepares the next.
        replace: words of it, and what takes their place: the page's stand for files of a user.
        add: further words, which make it small.
        code: its exit code.
        needs: packages without which it is left out.
        own: no page shows it.
    """

    text: str
    replace: dict[str, str] = field(default_factory=dict)
    add: tuple[str, ...] = ()
    code: int = 0
    needs: tuple[str, ...] = ()
    own: bool = False


def shows_help(text: str) -> Step:
    """Return a step that only reads the options of a benchmark, which would run for minutes."""
    return Step(text, add=("--help",))


# In this order, in one folder that tests/docs/world.py fills.
STEPS = [
    Step("ovdistill doctor"),
    # OVShapes, drawn small
    Step("ovdistill make-ovshapes", add="--train 12 --val 16 --test 4 --workers 1 -q".split()),
    Step(
        f"ovdistill teacher shapes-accuracy {SHAPES} "
        "--embedding-map ovshapes-clip ovshapes-clip-directions-shape"
    ),
    Step(
        "ovdistill make-ovshapes --domain crayon --root data/crayon",
        add="--train 12 --val 2 --test 1 --workers 1 -q".split(),
    ),
    Step("ovdistill teacher shapes-accuracy data/crayon"),
    # from the first training to a search
    Step("ovdistill train vild_r18_shapes", add=("--cfg-options", *TINY)),
    Step(
        "ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth -o out",
        add=("--cfg-options", *ALONE),
    ),
    Step(
        "ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth -o vild --dump",
        add=("--cfg-options", *ALONE),
    ),
    Step("ovdistill report out", replace={"out": "vild"}),
    Step(
        "ovdistill test --results detections.json --annotations instances_val2017.json "
        "--novel coco -o out",
        replace={
            "detections.json": "vild/detections.bbox.json",
            "instances_val2017.json": f"{SHAPES}/annotations/instances_test.json",
            "coco": "shape",
        },
    ),
    Step(
        "ovdistill test --results detections.json --annotations pets.json "
        '--novel "hamster, parrot" -o out',
        replace={
            "detections.json": "vild/detections.bbox.json",
            "pets.json": f"{SHAPES}/annotations/instances_test.json",
            "hamster, parrot": "solid heart, solid arrow",
        },
    ),
    Step("ovdistill train vouch_r18_shapes", add=("--cfg-options", *TINY)),
    Step(
        "ovdistill test vouch_r18_shapes work_dirs/vouch_r18_shapes/last.pth -o out",
        add=("--cfg-options", *ALONE),
    ),
    Step(
        "ovdistill predict --config vouch_r18_shapes "
        "--checkpoint work_dirs/vouch_r18_shapes/last.pth "
        '--text "red striped heart" -o outputs'
    ),
    Step("ovdistill publish vouch_r18_shapes work_dirs/vouch_r18_shapes/last.pth -o my_detector"),
    Step(f"ovdistill index {SHAPES}/images -o shapes.index --model my_detector"),
    Step('ovdistill search shapes.index "striped star" -k 20 -o outputs'),
    # segmentation
    Step("ovdistill train lseg_r18_shapes", add=("--cfg-options", *SMALL_TRAINING)),
    Step(
        "ovdistill test lseg_r18_shapes work_dirs/lseg_r18_shapes/last.pth",
        add=("--dump", "-o", "lseg", "--cfg-options", *ALONE),
    ),
    Step("ovdistill teacher evaluate --segmentation --config lseg_r18_shapes"),
    Step(
        "ovdistill test lseg_r50_voc --results label_maps -o out",
        replace={"lseg_r50_voc": "lseg_r18_shapes", "label_maps": "lseg/label_maps"},
    ),
    Step(
        "ovdistill test --results label_maps --label-maps SegmentationClass --label-table voc "
        "--novel voc-15 -o out",
        replace={
            "label_maps": "lseg/label_maps",
            "SegmentationClass": "lseg/label_maps",
            "voc": "ovshapes",
            "voc-15": "shape",
        },
    ),
    Step(
        "ovdistill test lseg_r18_shapes work_dirs/lseg_r18_shapes/last.pth -o lseg --dump",
        add=("--cfg-options", *ALONE),
    ),
    Step("ovdistill report lseg -o report"),
    Step("ovdistill publish lseg_r18_shapes work_dirs/lseg_r18_shapes/last.pth -o my_segmentor"),
    Step('ovdistill predict photos --model my_segmentor --text "striped star, ring" -o outputs'),
    Step(
        "ovdistill predict photos --config lseg_r18_shapes "
        "--checkpoint work_dirs/lseg_r18_shapes/last.pth"
    ),
    Step(
        "ovdistill train maskword_r18_shapes",
        add=("--cfg-options", *SMALL_TRAINING, "model.detector.init_cfg=None"),
    ),
    Step(
        "ovdistill test maskword_r18_shapes work_dirs/maskword_r18_shapes/last.pth",
        add=("--cfg-options", *ALONE, "model.detector.init_cfg=None"),
    ),
    # the detector that ships
    Step("ovdistill predict"),
    Step('ovdistill predict IMAGE --text "red striped star, outlined heart" -o outputs'),
    Step(
        'ovdistill predict FOLDER "more/**/*.jpg" video.mp4 --text names.yaml '
        "--model PUBLISHED_FOLDER",
        replace={"FOLDER": "photos"},
        needs=("av",),
    ),
    Step(
        'ovdistill predict photos "more/**/*.jpg" --text "zebra, tent" --model FOLDER '
        "--save image coco yolo -o outputs"
    ),
    Step('ovdistill predict photos --text "zebra, tent" --model FOLDER --half'),
    Step('ovdistill predict street.mp4 --text "zebra, tent" -o outputs', needs=("av",)),
    Step(
        'ovdistill predict street.mp4 --text "zebra, tent" --track --every 3 --batch-size 4',
        needs=("av", "trackers"),
    ),
    Step("ovdistill predict FOLDER --text names.yaml", replace={"FOLDER": "films"}, needs=("av",)),
    Step('ovdistill index photos "more/**/*.jpg" -o photos.index'),
    Step('ovdistill search photos.index "striped star" -k 50'),
    Step('ovdistill search photos.index "couch, sofa, settee" -o outputs'),
    Step("ovdistill search photos.index --region photo.jpg:10,20,110,120"),
    Step("ovdistill search photos.index --like photo.jpg"),
    Step(
        "ovdistill publish CONFIG CHECKPOINT -o FOLDER",
        replace={
            "CONFIG": "vild_r18_shapes",
            "CHECKPOINT": "work_dirs/vild_r18_shapes/last.pth",
            "FOLDER": "packed",
        },
    ),
    Step(
        "ovdistill publish CONFIG CHECKPOINT -o FOLDER --half --metrics out/metrics.json "
        "--license apache-2.0",
        replace={
            "CONFIG": "vild_r18_shapes",
            "CHECKPOINT": "work_dirs/vild_r18_shapes/last.pth",
            "FOLDER": "packed_half",
        },
    ),
    Step(
        "ovdistill calibrate FOLDER --annotations val.json --images DIR",
        replace={"val.json": VAL, "DIR": f"{SHAPES}/images"},
    ),
    Step(
        "ovdistill calibrate FOLDER --annotations val.json --images IMAGES",
        replace={"val.json": VAL, "IMAGES": f"{SHAPES}/images"},
    ),
    Step(
        f"ovdistill calibrate FOLDER --annotations {VAL} --images {SHAPES}/images",
    ),
    Step(
        f"ovdistill calibrate ovshapes --annotations {VAL} --images {SHAPES}/images "
        "-o calibration.json"
    ),
    # class names
    Step(
        'ovdistill vocab build --names "solid star, striped star, dotted ring, outlined heart" '
        '--split "outlined heart" --teacher ovshapes -o names.safetensors'
    ),
    Step(
        'ovdistill vocab build --names "solid star, striped star, dotted ring, outlined heart" '
        '--split "outlined heart" --teacher ovshapes --templates vild63 -o names63.safetensors',
        own=True,
    ),
    Step("ovdistill vocab show names.safetensors --grep star"),
    Step("ovdistill vocab diff names.safetensors names63.safetensors", code=1),
    Step('ovdistill vocab nearest names.safetensors --text "a red star" --teacher ovshapes'),
    Step(
        "ovdistill vocab import lvis_v1_clip_a+cname.npy --names lvis "
        "--teacher ViT-B-32-quickgelu:openai -o lvis.safetensors"
    ),
    Step(
        "ovdistill vocab import coco_clip_a+cname.npy --names coco "
        "--teacher ViT-B-32-quickgelu:openai -o coco.safetensors"
    ),
    Step(
        "ovdistill vocab learn --config vild_r18_shapes -o learned.safetensors",
        add=("--epochs", "1", "--bins", "single"),
    ),
    Step(
        'ovdistill vocab nearest learned.safetensors --text "an old shoe" '
        "--teacher ViT-B-32-quickgelu:openai",
        replace={"ViT-B-32-quickgelu:openai": "ovshapes"},
    ),
    Step(
        "ovdistill vocab build --names coco --templates learned.safetensors "
        "--teacher ViT-B-32-quickgelu:openai -o coco.safetensors",
        replace={"ViT-B-32-quickgelu:openai": "ovshapes", "coco.safetensors": "coco2.safetensors"},
    ),
    # a teacher that is adapted
    Step(
        "ovdistill teacher adapt clip-adapter --config vild_r18_shapes --shots 16 "
        "-o field.safetensors",
        add=("--epochs", "1", "--workers", "0"),
    ),
    Step(
        "ovdistill train vild_r18_shapes --cfg-options teacher.adapter=field.safetensors "
        "vocabulary=work_dirs/field/vocabulary.safetensors regions=work_dirs/field/regions",
        add=(*TINY, "--work-dir", "work_dirs/field"),
    ),
    Step(
        "ovdistill teacher adapt coop --config vild_r18_shapes --shots 16 --class-contexts "
        "-o prompts.safetensors",
        add=("--epochs", "1", "--context", "2", "--workers", "0"),
    ),
    Step(
        f"ovdistill vocab build --names {VAL} --split shape --teacher ovshapes "
        "--adapter field.safetensors -o field_names.safetensors"
    ),
    Step(
        "ovdistill teacher adapt fine-tune --teacher ovshapes-plain --split shape "
        "--templates single --shots 16 --annotations data/crayon/annotations/instances_train.json "
        "--images data/crayon/images --test-annotations data/crayon/annotations/instances_val.json "
        "--test-images data/crayon/images --lr 3e-4 --average 0.75 -o tuned",
        add=("--epochs", "1", "--workers", "0"),
    ),
    Step(
        "ovdistill train vild_r18_shapes --cfg-options geometry=plain teacher.model=tuned "
        "data_root=data/crayon vocabulary=work_dirs/tuned/vocabulary.safetensors "
        "regions=work_dirs/tuned/regions prepare.proposals.published=None "
        "model.roi_head.bbox_head.cls_predictor_cfg.temperature=0.07",
        # else a network of proposals would be trained
        replace={"prepare.proposals.published=None": "train_cfg.max_iters=2"},
        add=(*TINY, "--work-dir", "work_dirs/tuned"),
    ),
    # stores of regions
    Step(
        "ovdistill extract --images train2017 --annotations instances_train2017.json "
        "--teacher ViT-B-32-quickgelu:openai --proposals boxes.json -o regions",
        replace={"ViT-B-32-quickgelu:openai": "ovshapes"},
    ),
    Step(
        "ovdistill extract --images train2017 --annotations instances_train2017.json "
        "--teacher RN50:openai --proposals boxes.json --dense-size 1024 --dense-stage 3 "
        "-o regions-staged",
        replace={"RN50:openai": "ovshapes", "1024": "64"},
    ),
    *(
        Step(
            f"ovdistill extract --images train2017 --annotations half_{name}.json "
            f"--teacher ovshapes --proposals grid --per-image 4 -o {name}",
            own=True,
        )
        for name in "ab"
    ),
    Step(
        "ovdistill teacher refine --teacher ViT-B-32-quickgelu:openai --images train2017 "
        "-o refined --size 640",
        replace={"ViT-B-32-quickgelu:openai": "ovshapes", "640": "64"},
        add=("--steps", "1", "--batch", "2"),
    ),
    Step(
        "ovdistill train maskclip_plus_r18_shapes --cfg-options teacher.model=refined "
        "teacher.embedding_map=None vocabulary=work_dirs/refined_names.safetensors "
        "custom_hooks.0.scale=1.5",
        add=SMALL_TRAINING,
    ),
    Step(
        "ovdistill prepare vild_r18_shapes --cfg-options geometry=plain",
        add=("prepare.regions.per_image=4",),
    ),
    Step(
        f"ovdistill teacher refine --teacher ovshapes-plain --images {SHAPES}/images "
        f"--annotations {SHAPES}/annotations/instances_train.json "
        f"--regions {SHAPES}/shape/plain/regions -o refined --size 192 --lr 1e-3 --steps 3000",
        replace={"refined": "refined_by_regions", "3000": "1"},
        add=("--batch", "2"),
    ),
    Step("ovdistill store info regions"),
    Step("ovdistill store verify regions"),
    Step("ovdistill store merge a b -o both"),
    Step("ovdistill store verify both"),
    Step("ovdistill store verify data/lvis/regions", replace={"data/lvis/regions": "regions"}),
    Step(
        f"ovdistill store info {MADE}/regions "
        f"--annotations {SHAPES}/annotations/instances_train.json "
        f"--vocabulary {MADE}/vocabulary.safetensors"
    ),
    Step(
        "ovdistill store centre data/lvis/regions "
        "--vocabulary data/lvis/vocabulary_vild63_synonyms.safetensors -o centred.safetensors",
        replace={
            "data/lvis/regions": f"{MADE}/regions",
            "data/lvis/vocabulary_vild63_synonyms.safetensors": f"{MADE}/vocabulary.safetensors",
        },
    ),
    Step(
        "ovdistill store map data/lvis/regions centred.safetensors -o data/lvis/regions-centred",
        replace={"data/lvis/regions": f"{MADE}/regions", "data/lvis/regions-centred": "centred"},
    ),
    Step(
        f"ovdistill store centre {SHAPES}/SPLIT/clip/regions "
        f"--vocabulary {SHAPES}/SPLIT/clip/vocabulary.safetensors --variance 0.99 -o FILE",
        replace={
            f"{SHAPES}/SPLIT/clip/regions": f"{MADE}/regions",
            f"{SHAPES}/SPLIT/clip/vocabulary.safetensors": f"{MADE}/vocabulary.safetensors",
            "FILE": "directions.safetensors",
        },
    ),
    # data of one's own
    Step("ovdistill check pets/train.json --images pets/images"),
    Step("ovdistill check pets/train.json --fix clean.json"),
    Step('ovdistill init-dataset my.json --novel "zebra, tent"'),
    Step(
        "ovdistill init-dataset pets/train.json --val pets/val.json "
        '--novel "hamster, parrot" --name pets'
    ),
    shows_help("python -m benchmarks.requery"),
    shows_help("python benchmarks/startup.py"),
    shows_help("python benchmarks/predict_speed.py --images photos"),
    shows_help(f"python -m benchmarks.absent_names --annotations {VAL} --images {SHAPES}/images"),
    shows_help(f"python -m benchmarks.kinds --annotations {VAL} --images {SHAPES}/images"),
    shows_help("python -m benchmarks.searching --texts EMBEDDINGS.npy"),
    shows_help("python -m benchmarks.searching --texts EMBEDDINGS.npy --alone"),
    shows_help(
        "python benchmarks/learned_prompts.py configs/vild_r18_shapes.py learned.safetensors"
    ),
    shows_help(
        "python benchmarks/teacher_adaptation.py vild_r18_shapes "
        f"--regions {SHAPES}/shape/clip/regions"
    ),
    shows_help(
        "python benchmarks/extraction.py --images train2017 "
        "--annotations instances_train2017.json --teacher ViT-B-32-quickgelu:openai"
    ),
    shows_help("python benchmarks/domain_adaptation.py -o work_dirs/domain"),
    shows_help(
        "python benchmarks/domain_adaptation.py -o work_dirs/domain --rows none fine-tuning "
        "--student vild_r18_shapes"
    ),
    shows_help("python benchmarks/store_reading.py"),
    shows_help(
        "python benchmarks/dense_speed.py --images train2017 "
        "--annotations instances_train2017.json --teacher ViT-B-32-quickgelu:openai"
    ),
    shows_help(
        "python benchmarks/dense_speed.py --images train2017 "
        "--annotations instances_train2017.json --teacher RN50 --random-weights --count 2 "
        "--ways square:1+1.5 dense:1024 dense:1024:4 dense:1024:3"
    ),
    shows_help("python benchmarks/teacher_objectives.py -o work_dirs/objectives"),
    shows_help(
        "python benchmarks/teacher_objectives.py -o work_dirs/objectives --seeds 1 --steps 300"
    ),
    shows_help("python benchmarks/dense_regions.py --refined refined"),
    shows_help(
        "python benchmarks/dense_regions.py --refined refined_stage3 "
        "--ways own dense:192:2 dense:192:3 dense:192:4"
    ),
    shows_help("python benchmarks/evaluators.py --cases 10000 --images 1000"),
    shows_help(
        "python benchmarks/detector_speed.py --configs vild_text_r18_shapes best_r18_shapes "
        "--checkpoints work_dirs/vild_text_r18_shapes/last.pth work_dirs/best_r18_shapes/last.pth"
    ),
    shows_help("python benchmarks/continue_training.py -o work_dirs/continue"),
    shows_help(
        "python benchmarks/segmentation.py -o work_dirs/segmentation "
        "--rows lseg maskclip_plus maskword maskword_oracle"
    ),
    shows_help(
        "python benchmarks/segmentation.py -o work_dirs/segmentation --seeds 1 --rows dense"
    ),
    shows_help(
        "python benchmarks/segmentation.py -o work_dirs/segmentation --seeds 1 --refined refined "
        "--rows training_free training_free_refined maskclip_plus_refined"
    ),
    shows_help(f"python -m benchmarks.onnx_speed --images {SHAPES}/images/test"),
    shows_help("python -m benchmarks.onnx_speed --config vild_r50_lvis --size 800x1333 --times 5"),
]

# Patterns of commands that are not run, each with the reason. Options, recipe and overrides of
# those of ovdistill are read all the same.
NOT_RUN = {
    "torchrun *": "needs several GPUs; tests/commands/test_processes.py runs several processes",
    "srun *": "needs Slurm and GPUs",
    "* *_r50_lvis*": "needs LVIS and CLIP's weights",
    "* *_r50_coco*": "needs COCO and CLIP's weights",
    "ovdistill vocab build *--teacher ViT-B-32*": "needs CLIP's weights",
    "*configs/pets.py*": "needs CLIP's weights; tests/commands/init_dataset/test_init_dataset.py "
    "goes this way",
    "ovdistill prepare-lvis *": "needs the official files; tests/datasets/official",
    "ovdistill prepare-coco *": "needs the official files; tests/datasets/official",
    "ovdistill teacher train --config pairs.py*": "needs CLIP's weights; "
    "tests/commands/teacher/test_train.py goes this way",
    'ovdistill vocab build --names "mug, tea pot" *': "with the teacher of that page",
    "ovdistill teacher train --config teacher_shapes": "takes half an hour; "
    "tests/commands/teacher/test_train.py makes some steps",
    "ovdistill teacher shapes-accuracy *": "is run with two maps",
    "ovdistill prepare-segmentation *": "needs the official files; tests/commands",
    "ovdistill test --results * --annotations lvis_v1_val.json *": "is run with other data",
    "ovdistill report best vild -o report": "is run with one of them",
    "ovdistill init-dataset * --base-config vild_mobilenetv4_coco *": "tests/commands/"
    "init_dataset/test_own_data.py runs that block",
    "ovdistill init-dataset * --names names.txt *": "tests/commands/init_dataset/"
    "test_init_dataset.py",
    "ovdistill train configs/pets_more.py": "tests/training/test_continue_example.py",
    "ovdistill export *": "tests/commands/test_export.py",
    "ovdistill teacher evaluate *": "tests/commands/teacher/test_evaluate.py",
    "ovdistill prepare *_r18_shapes": "is `train` without the training",
    "ovdistill calibrate pets_detector *": "is `calibrate` with a detector of a user",
    "ovdistill predict photos --model pets_detector *": "is `predict` with a detector of a user",
    "ovdistill summarize *angle=*": "tests/commands/test_summarize.py",
    "ovdistill * continue_r18_shapes*": "tests/training/test_continue.py",
    "* *plain_shapes.py *": "tests/models/test_own_student.py runs that page",
    "ovdistill vocab build --names names.txt *": "is run with other names",
    "ovdistill train best_r18_shapes": "is `train vouch_r18_shapes` for a longer time",
    "ovdistill test best_r18_shapes *": "is `test vouch_r18_shapes` with other weights",
    "ovdistill publish best_r18_shapes *": "is `publish` with other weights",
    "ovdistill train vild_r18_shapes --seed 0 *": "is `train` with the learned prompts",
    "ovdistill train vild_r18_shapes --cfg-options vocabulary=prompts*": "is `train` with the "
    "learned prompts",
    "ovdistill test vild_r18_shapes * --cfg-options *": "is `test` with the learned prompts",
    "ovdistill * angle_r18_shapes.py *": "tests/distillation/test_own_term.py runs that page",
    "*ovdistill compare *": "trains for hours; tests/commands/compare/test_compare.py",
    "ovdistill app*": "runs until it is stopped; tests/app",
    "ovdistill predict --webcam *": "needs a camera; tests/inference/video/test_camera.py",
    # no commands of ovdistill
    "make *": "installs, or is this test; the target has to be there",
    "pip *": "installs; the extras have to be there",
    "cvat-cli *": "needs a server; the parameters have to be there",
    "git clone *": "needs a network",
    "cd *": "is the shell's",
    "export PYTHONPATH=*": "is the shell's",
    "eval *": "is the shell's; tests/commands/test_completion.py",
    "python3 -m venv *": "makes an environment",
    "pre-commit install": "changes the checkout",
}
