"""A slip in a config is the same one line from every command that reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.commands import main
from ovdistill.commands.component_errors import ComponentDefect
from ovdistill.core.assets import SAMPLE_IMAGE, STUDENT
from ovdistill.core.errors import UserError

CONFIG = """
_base_ = ["{recipes}/vild_r18_shapes.py"]
data_root = "{folder}/data"
{slip}
"""
RECIPES = Path(__file__).parents[2] / "configs"
COMMANDS = {
    "train": ["train", "CONFIG", "--work-dir", "FOLDER/work"],
    "prepare": ["prepare", "CONFIG"],
    "test": ["test", "CONFIG", str(STUDENT / "model.safetensors"), "-o", "FOLDER/out"],
    "extract": ["extract", "--config", "CONFIG", "-o", "FOLDER/regions"],
    "predict": ["predict", str(SAMPLE_IMAGE), "--config", "CONFIG", "--checkpoint",
                str(STUDENT / "model.safetensors"), "--text", "ring", "-o", "FOLDER/out"],
}  # fmt: skip
SLIPS = {
    "type": ("model = dict(backbone=dict(type='ResNett'))", r"own\.py, .*'ResNett'.*ResNet"),
    "key": ("model = dict(backbone=dict(dephth=1))", r"own\.py, model\.backbone.*dephth=.*depth"),
    "import": (
        "custom_imports = dict(imports=['no_such'])",
        r"custom_imports of .*own\.py.*no_such",
    ),
    "syntax": ("a = = 1", r"own\.py, line 4"),
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_the_same(command: str, slip: str, tmp_path: Path) -> None:
    source, named = SLIPS[slip]
    own = tmp_path / "own.py"
    own.write_text(CONFIG.format(recipes=RECIPES, folder=tmp_path, slip=source))
    words = [
        w.replace("CONFIG", str(own)).replace("FOLDER", str(tmp_path)) for w in COMMANDS[command]
    ]
    with pytest.raises(UserError, match=rf"^[^\n]*{named}[^\n]*$"):
        main.run(words)
    assert not (tmp_path / "data").exists()


def test_code_of_ones_own_that_fails_shows_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_backbone.py").write_text(
        "from mmdet.registry import MODELS\n\n\n"
        "@MODELS.register_module()\n"
        "class OwnBackbone:\n"
        "    def __init__(self, **kwargs):\n"
        "        self.steps = None + 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    slip = "custom_imports = dict(imports=['own_backbone'])\n"
    slip += "model = dict(backbone=dict(_delete_=True, type='OwnBackbone', depth=1))"
    own = tmp_path / "own.py"
    own.write_text(CONFIG.format(recipes=RECIPES, folder=tmp_path, slip=slip))
    where = r"own\.py, model\.backbone: .*own_backbone\.py, line 7: TypeError"
    with pytest.raises(ComponentDefect, match=where) as caught:
        main.run([w.replace("CONFIG", str(own)) for w in COMMANDS["predict"]])
    assert isinstance(caught.value.__cause__, TypeError)  # whose traceback Python shows first
