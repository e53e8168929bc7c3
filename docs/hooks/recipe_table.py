"""Write the page of all recipes, from their docstrings."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_text import escape, table

from ovdistill.core.recipes import recipe_folder

INTRODUCTION = """\
# Recipes

A recipe is a config that ships with the package. `ovdistill train NAME` finds it from any folder.
Cost and result are what its docstring says; the docstring also has every difference from what was
published. A recipe on OVShapes without a cost has the schedule of `vild_r18_shapes`. Figures of
papers and of released code are theirs, not measured here.
"""
GROUPS = {"_shapes": "OVShapes", "_lvis": "OV-LVIS", "_coco": "OV-COCO", "": "Other data"}
COST = "Cost(?: and result)?"
RESULT = "(?:Result|Expected|Cost and result)"


@dataclass(frozen=True)
class Recipe:
    """What the docstring of a recipe says.

    Attributes:
        name: of the recipe.
        title: its first line.
        command: the first command that it names.
        cost: of its training, or empty.
        result: measured, or expected from a publication, or empty.
    """

    name: str
    title: str
    command: str
    cost: str
    result: str


def recipe_page() -> str:
    """Return the page as Markdown."""
    recipes = [read_recipe(path) for path in sorted(recipe_folder().glob("*.py"))]
    parts = [INTRODUCTION]
    for suffix, title in GROUPS.items():
        group = [recipe for recipe in recipes if recipe_group(recipe.name) == suffix]
        parts += [f"## {title}", table(["recipe", "command", "cost", "result"], map(row, group))]
    return "\n\n".join(parts)


def recipe_group(name: str) -> str:
    """Return the suffix of ``GROUPS`` that a recipe belongs to."""
    if name.startswith("transfer_"):
        return ""
    return next(suffix for suffix in GROUPS if name.endswith(suffix))


def read_recipe(path: Path) -> Recipe:
    """Return what a recipe's docstring says.

    Raises:
        ValueError: it has no docstring, or names no command.
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    found = re.findall(r"^    ((?:ovdistill|torchrun) (?:.*\\\n)*.*)", text, re.MULTILINE)
    commands = [" ".join(command.replace("\\\n", " ").split()) for command in found]
    if not commands:
        raise ValueError(f"{path}: its docstring names no command")
    return Recipe(
        name=path.stem,
        title=text.partition("\n")[0],
        # a recipe of a later stage names the earlier ones first
        command=next((line for line in commands if path.stem in line), commands[0]),
        cost=labelled(text, COST),
        result=labelled(text, RESULT),
    )


def labelled(text: str, label: str) -> str:
    """Return the text behind a label, such as "Cost:" or "Result (val images):", or nothing.

    It ends at the next label or at a blank line; what the label has in brackets comes first.
    """
    pattern = (
        rf"(?:^|(?<= )){label}(?P<about> \([^)]*\)|, [^:]*|):(?P<text>.*?)"
        r"(?=\s(?:Cost|Result|Expected)\b[^:\n]*:|^\s*$|\Z)"
    )
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    if found is None:
        return ""
    about = found["about"].strip(" ,()")
    said = " ".join(found["text"].replace("+-", "±").split()) or "in its file"  # a list follows
    return f"{' '.join(about.split())}: {said}" if about else said


def row(recipe: Recipe) -> list[str]:
    """Return the cells of a recipe; its name leads to its file."""
    name = f"[`{recipe.name}`](../configs/{recipe.name}.py)<br>{escape(recipe.title)}"
    return [name, f"`{recipe.command}`", escape(recipe.cost), escape(recipe.result)]
