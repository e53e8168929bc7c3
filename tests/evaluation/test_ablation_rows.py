"""The rows of docs/results/ablation: what they switch on and off is there in their configs."""

from pathlib import Path

import pytest

from ovdistill.commands.compare.compare import CompareOptions, Comparison
from ovdistill.commands.main import parse
from ovdistill.evaluation.comparison_rows import load_rows
from ovdistill.models.config import load_config

FOLDER = Path(__file__).parents[2] / "docs" / "results" / "ablation"


def differences(row, folder):
    """Return the model's config of a row and of its recipe without the row's options."""
    comparison = Comparison(CompareOptions(out=str(folder)), [row])
    configs = []
    for words in (comparison._options(row), comparison._options(row)[: -len(row.options)]):
        _, parsed = parse(["train", row.config, "--cfg-options", *words])
        configs.append(load_config(row.config, parsed.overrides))
    return configs


@pytest.mark.parametrize("file", ["rows.py", "best_rows.py"])
def test_every_row_differs_from_its_recipe(file, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    rows = load_rows(FOLDER / file)
    assert len({(row.config, row.options) for row in rows}) == len(rows)
    for row in rows:
        changed, recipe = differences(row, tmp_path)
        assert changed.to_dict() != recipe.to_dict()
        for option in row.options:
            value = changed
            for part in option.split("=")[0].split("."):
                value = value[int(part) if part.isdecimal() else part]
            assert float(value) == float(option.split("=")[1])


def test_the_rows_of_region_word_alignment_differ_in_the_gap(tmp_path):
    rows = load_rows(FOLDER.parent / "region_word" / "rows.py")
    without = ["ovshapes-clip", "ovshapes-clip-directions-shape"]
    expected = [without, "ovshapes-clip", without, "ovshapes-clip", without]
    for row, maps in zip(rows, expected, strict=True):
        comparison = Comparison(CompareOptions(out=str(tmp_path)), [row])
        words = ["train", row.config, "--cfg-options", *comparison._options(row)]
        config = load_config(row.config, parse(words)[1].overrides)
        geometry = "clip" if isinstance(maps, str) else "clip-directions"
        assert config.teacher["embedding_map"] == maps
        assert f"/shape/{geometry}/" in config.vocabulary
        assert config.regions.endswith(f"/shape/{geometry}/regions")
        assert ("tokens" in config.vocabulary) == row.name.startswith("token")
        predictor = config.model.roi_head.bbox_head.cls_predictor_cfg
        assert predictor.get("temperature", 0.01) == (0.01 if geometry == "clip" else 0.07)
