"""What docs/hooks makes of the pages, and of the code: without building the site."""

import re
from pathlib import Path

import pytest
from command_reference import command_reference
from markdown_text import escape, fence_indented, table
from recipe_table import labelled, read_recipe, recipe_page
from repository_links import lead_links

from ovdistill.core.recipes import recipe_folder, recipe_names

ROOT = Path(__file__).parents[2]
SITE = {"README.md": "index.md", "docs/regions.md": "regions.md", "docs/a.png": "a.png"}
ADDRESS = "https://example.org/repository"


@pytest.mark.parametrize(
    "link, expected",
    [
        ("../../../docs/regions.md#captions", "../regions.md#captions"),
        ("../../../README.md", "../index.md"),
        ("../../../docs/a.png", "../a.png"),
        ("loss.py", f"{ADDRESS}/blob/main/ovdistill/distillation/vild/loss.py"),
        ("..", f"{ADDRESS}/tree/main/ovdistill/distillation"),
        ("https://arxiv.org/abs/1", "https://arxiv.org/abs/1"),
        ("#here", "#here"),
    ],
)
def test_a_link_leads_to_the_page_or_to_the_repository(link, expected):
    source = "ovdistill/distillation/vild/README.md"
    found, broken = lead_links(f"[a]({link})", source, "methods/vild.md", SITE, ROOT, ADDRESS)
    assert found == f"[a]({expected})" and not broken


def test_a_link_that_leads_nowhere_is_told():
    _, broken = lead_links("[a](gone.md)", "docs/b.md", "b.md", SITE, ROOT, ADDRESS)
    assert broken == ["gone.md"]


def test_links_in_code_stay():
    text = "```python\ncall[0](gone.md)\n```\n[a](regions.md)\n"
    assert lead_links(text, "docs/b.md", "b.md", SITE, ROOT, ADDRESS) == (text, [])


def test_indented_lines_of_a_docstring_become_a_block():
    text = fence_indented("Say:\n    ovdistill train X\n        --seed 1\nand *then* stop.")
    assert text == ("Say:\n\n```bash\novdistill train X\n    --seed 1\n```\n\nand \\*then\\* stop.")


def test_markdown_of_plain_text():
    assert escape("a|b <c> `d|e`") == "a\\|b \\<c> `d|e`"
    assert table(["x"], [["two\nlines"]]) == "| x |\n| --- |\n| two lines |"


def test_commands_page_has_every_option_of_every_command():
    page = command_reference()
    headings = re.findall(r"^## (.*)", page, re.MULTILINE)
    assert {"ovdistill train", "ovdistill store verify"} <= {*headings}
    assert len(headings) == len({*headings}) > 25
    train = page.partition("## ovdistill train\n")[2].partition("\n## ")[0]
    assert "ovdistill train CONFIG [OPTIONS]" in train
    assert "| `--launcher {none,pytorch,slurm,mpi}` |" in train
    assert "| `--cfg-options KEY=VALUE ...` |" in train
    assert "| `--amp` |" in train and "local_rank" not in train
    assert "`--quiet`" not in train  # stands once, at the top


def test_recipes_page_has_every_recipe():
    page = recipe_page()
    assert re.findall(r"^\| \[`(\w+)`\]", page, re.MULTILINE) == sorted(
        recipe_names(), key=lambda name: re.search(rf"^\| \[`{name}`\]", page, re.M).start()
    )


def test_what_a_recipe_says():
    recipe = read_recipe(recipe_folder() / "vild_r18_shapes.py")
    assert recipe.command == "ovdistill train vild_r18_shapes"
    assert recipe.cost.startswith("1000 iterations")
    assert "box AP base" in recipe.result and "three seeds" in recipe.result
    assert "Not reproduced" in read_recipe(recipe_folder() / "rkd_r50_lvis.py").result
    # a later stage: its own command, not that of the stage before
    transfer = read_recipe(recipe_folder() / "rkd_transfer_r18_shapes.py")
    assert transfer.command == "ovdistill train rkd_transfer_r18_shapes"


def test_a_label_ends_at_the_next_one():
    text = "Cost: one\nhour. Result (val): 3\n\nKnown: nothing"
    assert labelled(text, "Cost") == "one hour."
    assert labelled(text, "Result") == "val: 3"
    assert labelled(text, "Expected") == ""


def test_a_recipe_without_a_command_is_an_error(tmp_path):
    path = tmp_path / "bare.py"
    path.write_text('"""A recipe."""')
    with pytest.raises(ValueError, match="bare.py"):
        read_recipe(path)
