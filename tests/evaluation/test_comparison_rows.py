"""The rows of the comparison: shipped ones, those of a user's file, and how they are chosen."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.evaluation.comparison_rows import ROWS, Row, load_rows, pick_rows, trained_by
from ovdistill.models.config import load_config

IMPORT = "from ovdistill.evaluation.comparison_rows import ROWS as SHIPPED, Row\n"


def test_every_row_names_a_config_and_options_that_fit():
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        options = dict(option.split("=") for option in row.options)
        config = load_config(row.config, options)
        assert len(config.model.distillers) > 0  # the same regions pass the head in every row
        # text alone in ATSS is given HierKD's captions, with a weight of zero
        learns = any(float(term.get("loss_weight", 1)) > 0 for term in config.model.distillers)
        captions = any("Caption" in str(step) for step in config.train_pipeline)
        assert row.novel_captions == (captions and learns)
        assert {row.trained_as, row.starts_from} <= {None, *(other.name for other in ROWS)}


def test_rows_that_need_the_checkpoint_of_another():
    needing = {row.name for row in ROWS if row.builds_on}
    assert needing == {"rkd_point", "rkd_transfer", "text_crops", "combined_crops"}


def test_shipped_rows_are_picked_in_the_order_of_the_table():
    assert pick_rows([]) == list(ROWS)
    assert [row.name for row in pick_rows(["vild", "text"])] == ["text", "vild"]
    with pytest.raises(UserError, match="'none'"):
        pick_rows(["vild", "none"])


def test_rows_of_another_geometry():
    left_out = {row.name for row in ROWS} - {row.name for row in pick_rows([], "plain")}
    assert left_out == {"best"}
    with pytest.raises(UserError, match="'best' is made for geometry clip; got --geometry hard"):
        pick_rows(["text", "best"], "hard")


def test_rows_of_a_file(tmp_path):
    path = tmp_path / "my_rows.py"
    path.write_text(IMPORT + "ROWS = [Row('mine', 'my method', 'my.py', ('a=1',)), SHIPPED[2]]")
    mine, vild = load_rows(path)
    assert mine == Row("mine", "my method", "my.py", ("a=1",)) and vild == ROWS[2]
    assert [row.name for row in pick_rows([str(path)])] == ["mine", "vild"]
    assert [row.name for row in pick_rows(["vild", "text", str(path)])] == ["mine", "vild", "text"]


@pytest.mark.parametrize("code", ["", "ROWS = 3", "ROWS = []", "ROWS = ['vild']"])
def test_files_without_rows(tmp_path, code):
    path = tmp_path / "my_rows.py"
    with pytest.raises(UserError, match="my_rows.py"):
        load_rows(path)
    path.write_text(IMPORT + code)
    with pytest.raises(UserError, match="my_rows.py"):
        load_rows(path)


@pytest.mark.parametrize("names", [("vild",), ("mine", "mine")])
def test_names_that_are_taken(tmp_path, names):
    path = tmp_path / "my_rows.py"
    rows = [f"Row({name!r}, '{number}', 'my.py')" for number, name in enumerate(names)]
    path.write_text(f"{IMPORT}ROWS = [{', '.join(rows)}]")
    with pytest.raises(UserError, match=repr(names[0])):
        pick_rows([str(path)])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Row('a', 'A', 'a.py', trained_as='vidl')", "'a' builds on 'vidl'.*vild"),
        ("Row('a', 'A', 'a.py', starts_from='b')", "'a' builds on 'b'"),
        (
            "Row('a', 'A', 'a.py', starts_from='b'), Row('b', 'B', 'b.py', trained_as='a')",
            "'a' builds on itself.*a on b on a",
        ),
        ("Row('a', 'A', 'a.py', trained_as='a')", "'a' builds on itself"),
    ],
)
def test_rows_that_build_on_none_that_there_is(tmp_path, rows, message):
    path = tmp_path / "my_rows.py"
    path.write_text(f"{IMPORT}ROWS = [{rows}]")
    with pytest.raises(UserError, match=message):
        pick_rows([str(path)])


def test_the_training_of_a_row_is_that_at_the_end_of_the_chain():
    rows = {row.name: row for row in ROWS}
    rows["mine"] = Row("mine", "", "", trained_as="text_crops")
    assert trained_by("mine", rows) == trained_by("text", rows) == "text"
    assert trained_by("given", rows) == "given"
