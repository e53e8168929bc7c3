"""`benchmarks/segmentation.py`: its rows, its arithmetic, and where its detectors come from."""

import json

import pytest

from benchmarks.segmentation import (
    DETECTOR,
    DETECTOR_ORACLE,
    ROWS,
    BenchmarkOptions,
    SegmentationComparison,
    add_way,
    chosen_rows,
    table,
    trained_rows,
)
from ovdistill.commands.config_overrides import read_overrides
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.models.config import load_config


def runs(*unseen: float) -> list[dict]:
    return [{"seed": seed, "semantic/uIoU": value} for seed, value in enumerate(unseen)]


def test_the_way_is_from_lseg_to_the_oracle_seed_by_seed():
    found = dict(
        lseg=runs(10.0, 20.0), maskword=runs(40.0, 44.0, 50.0), maskword_oracle=runs(60.0, 60.0)
    )
    add_way(found)
    ways = {name: [run.get("way") for run in own] for name, own in found.items()}
    # 30 of 50 points, and 24 of 40; nothing to compare the third seed with
    assert ways["maskword"] == [pytest.approx(60.0), pytest.approx(60.0), None]
    assert ways["lseg"] == [0.0, 0.0] and ways["maskword_oracle"] == [100.0, 100.0]
    no_oracle = dict(lseg=runs(10.0), maskword=runs(40.0))
    add_way(no_oracle)
    assert "way" not in no_oracle["maskword"][0]


def test_cells_are_means_and_deviations_over_seeds():
    found = dict(maskword=runs(40.0, 44.0), lseg=runs(10.0))
    found["maskword"][0]["seconds"] = 0.25
    lines = table(found).splitlines()
    assert lines[0] == "| method | seeds | uIoU | s / iteration |"
    assert lines[2:] == [
        "| LSeg | 1 | 10.0 | - |",
        "| mask-word | 2 | 42.0 ± 2.8 | 0.25 |",
    ]


def test_a_row_by_masks_comes_with_its_detector():
    def names(*chosen: str, **given: str) -> list[str]:
        return [row.name for row in trained_rows(chosen_rows(chosen, None), given)]

    assert names("lseg", "training_free") == ["lseg"]
    assert names("maskword") == ["best", "maskword"]
    assert names("maskword", best="a.pth") == ["maskword"]
    assert names()[:2] == ["best", "best_oracle"] and len(names()) == len(ROWS) + 1
    with pytest.raises(UserError, match="'magic'"):
        names("magic")
    for row in (*ROWS, DETECTOR, DETECTOR_ORACLE):
        assert find_recipe(row.config).is_file()


def test_rows_of_a_refined_teacher_need_one(tmp_path):
    with pytest.raises(UserError, match="--refined"):
        chosen_rows(["dense_refined"], None)
    names = [row.name for row in chosen_rows([], tmp_path)]
    assert names[-3:] == ["training_free_refined", "maskclip_plus_refined", "dense_refined"]
    (row,) = chosen_rows(["maskclip_plus_refined"], tmp_path)
    config = load_config(row.config, read_overrides(row.options))
    assert config.teacher == dict(model=str(tmp_path), embedding_map=None)
    assert config.custom_hooks[0].scale == 1.5 and config.vocabulary.startswith(str(tmp_path))
    assert "MaskCLIP+, refined teacher" in table({"maskclip_plus_refined": runs(20.0)})


def test_detectors_that_are_given(tmp_path):
    pattern = str(tmp_path / "seed{seed}.pth")
    (tmp_path / "seed0.pth").touch()
    options = dict(out=tmp_path / "out", rows=("maskword",), detectors=pattern)
    one = SegmentationComparison(BenchmarkOptions(**options, seeds=1))
    assert one.checkpoint("best", 0) == tmp_path / "seed0.pth"
    assert one.checkpoint("maskword", 0) == one.folder("maskword", 0) / "last.pth"
    with pytest.raises(UserError, match="seed1.pth"):
        SegmentationComparison(BenchmarkOptions(**options, seeds=2))


def test_results_become_the_table(tmp_path):
    comparison = SegmentationComparison(BenchmarkOptions(out=tmp_path, seeds=1))
    for name, unseen in dict(lseg=8.0, maskword=58.0, maskword_oracle=68.0).items():
        folder = comparison.folder(name, 0) / "test"
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({"semantic/uIoU": unseen}))
        (folder / "provenance.json").write_text(json.dumps(dict(seconds_per_image=0.5)))
    comparison.report()
    written = json.loads((tmp_path / "segmentation.json").read_text())
    assert written["rows"]["maskword"][0]["way"] == pytest.approx(100 * 50 / 60)
    assert "| mask-word | 1 | 58.0 | 83.3 | 0.50 |" in (tmp_path / "segmentation.md").read_text()


def test_runs_of_another_machine_are_taken_over(tmp_path):
    known = {name: runs(8.0) for name in ("lseg", "maskword", "maskword_oracle")}
    (tmp_path / "known.json").write_text(json.dumps({"subset": "test", "rows": known}))
    options = BenchmarkOptions(
        out=tmp_path / "out", seeds=2, rows=("lseg", "maskword"), known=tmp_path / "known.json"
    )
    comparison = SegmentationComparison(options)
    done = {
        (row.name, seed): comparison.is_done(row, seed)
        for row in comparison.rows
        for seed in (0, 1)
    }
    # nobody needs the detector of seed 0 any more
    assert {row for (row, seed), there in done.items() if there and seed == 0} == {
        "best", "lseg", "maskword",
    }  # fmt: skip
    assert not any(there for (_, seed), there in done.items() if seed == 1)
    comparison.report()
    assert "| LSeg | 1 | 8.0 |" in (tmp_path / "out/segmentation.md").read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (dict(subset="val", rows={}), "val images; expected test images"),
        (dict(subset="test"), "no 'rows'"),
        ([], "no 'rows'"),
        (dict(subset="test", rows=[]), "an object of lists"),
        (dict(subset="test", rows=dict(lseg=[dict(seed=0)])), "an object of lists"),
    ],
)
def test_known_runs_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "known.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"(?s)known\.json.*{message}"):
        SegmentationComparison(BenchmarkOptions(out=tmp_path, seeds=1, known=path))


class Recorded(SegmentationComparison):
    """Notes the command lines instead of running them."""

    def _run(self, command, log):
        self.commands = [*getattr(self, "commands", ()), command]
        return None, 0.0


def test_a_segmentor_of_masks_is_prepared_before_its_detector_is_there(tmp_path):
    comparison = Recorded(BenchmarkOptions(out=tmp_path, seeds=1, rows=("maskword_oracle",)))
    detector, masks = comparison.rows
    comparison.prepare(masks)
    assert comparison.run(masks, 0) is None
    given = []
    for command in comparison.commands:
        options = read_overrides(command[command.index("--cfg-options") + 1 :])
        model = load_config(masks.config, options).model
        assert model.distillers[0].train_novel
        given.append((model.detector.init_cfg or {}).get("checkpoint"))
    trained = str(comparison.folder(detector.name, 0) / "last.pth")
    assert given == [None, trained, trained]  # prepare, train, test


def test_the_options_of_every_row_fit_its_config(tmp_path):
    comparison = Recorded(BenchmarkOptions(out=tmp_path, seeds=1))
    for row in comparison.rows:
        config = load_config(row.config, read_overrides(comparison._options(row)))
        oracle = "oracle" in row.name
        assert (config.train_dataloader.dataset.labelled == "all") == oracle
        head = config.model.get("roi_head", {}).get("bbox_head", {}).get("cls_predictor_cfg")
        known = head or config.model.distillers[0]
        assert known.get("train_novel", False) == oracle


def test_options_of_the_command_reach_the_row_without_a_training(tmp_path):
    options = ("split=compositional",)
    comparison = SegmentationComparison(BenchmarkOptions(out=tmp_path, cfg_options=options))
    (row,) = comparison.free
    assert comparison.config(row).split == "compositional"
