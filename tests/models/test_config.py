"""Reading a config: recipes by name, overrides, placeholders, and modules that have moved."""

import sys
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import recipe_folder
from ovdistill.models.config import (
    MOVED_MODULES,
    load_config,
    placeholder_values,
)


def write(folder: Path, text: str, name: str = "own.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_circle_in_a_file_is_an_error_that_an_override_mends(tmp_path):
    path = write(tmp_path, 'a = "{b}"\nb = "{a}"\nmodel = dict(file="{a}")\n')
    with pytest.raises(UserError, match="->"):
        load_config(path)
    assert load_config(path, {"b": "end"}).model.file == "end"


def test_overrides_come_before_placeholders(tmp_path):
    path = write(tmp_path, 'root = "data"\nmodel = dict(file="{root}/{name}", other="{root}")\n')
    config = load_config(path, {"root": "{name}/new", "name": "n", "model.other": "{name}!"})
    assert config.model.file == "n/new/n" and config.model.other == "n!"
    assert Path(config.filename) == path


def test_options_can_be_merged_again(tmp_path):
    path = write(tmp_path, "model = dict(a=1)\n")
    options = {"model": dict(_delete_=True, b=2)}
    assert [load_config(path, options).model.to_dict() for _ in "ab"] == [dict(b=2)] * 2


def test_options_that_do_not_fit_are_named(tmp_path):
    path = write(tmp_path, "model = dict(list=[1])\n")
    with pytest.raises(UserError, match=r"model\.list\.7=2 do not fit .*own\.py"):
        load_config(path, {"model.list.7": 2})


@pytest.mark.parametrize("loader", ["train_dataloader", "val_dataloader", "test_dataloader"])
def test_no_workers_are_kept_where_there_are_none(tmp_path, loader):
    path = write(tmp_path, f"{loader} = dict(num_workers=2, persistent_workers=True)\n")
    assert load_config(path)[loader].persistent_workers
    assert not load_config(path, {f"{loader}.num_workers": 0})[loader].persistent_workers


@pytest.mark.parametrize("value", ["x", 0, [1]])
def test_a_loader_that_is_no_mapping_is_an_error(value):
    with pytest.raises(UserError, match="val_dataloader"):
        load_config("vild_r18_shapes", {"val_dataloader": value})


def test_recipes_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by_name, by_file = (load_config(name) for name in ("vild_r18_shapes", "vild_r18_shapes.py"))
    by_path = load_config(recipe_folder() / "vild_r18_shapes.py")
    assert by_name.to_dict() == by_file.to_dict() == by_path.to_dict()
    with pytest.raises(UserError, match="vild_r18_shapes"):
        load_config("vild_r18_shape")
    # a file of the user's comes first
    write(tmp_path, "mine = True\n", "vild_r18_shapes.py")
    assert load_config("vild_r18_shapes.py").mine


def test_placeholder_values_say_where_the_data_are():
    config = load_config("vild_r18_shapes", {"data_root": "X"})
    values = placeholder_values(config)
    assert values["data_root"] == "X" and values["vocabulary"].startswith("X/")
    assert all(isinstance(value, str) for value in values.values())
    assert load_config("vild_r18_shapes", placeholders=values).to_dict() == config.to_dict()


def test_placeholders_that_another_config_does_not_have_are_left_out(tmp_path, caplog):
    path = write(tmp_path, 'data_root = "data"\nfile = "{data_root}/a"\n')
    found = load_config(path, {"more": 1}, {"data_root": "X", "val_ann": "b.json"})
    assert found.to_dict() == {"data_root": "X", "file": "X/a", "more": 1}
    assert "val_ann" not in caplog.text and "more" in caplog.text


@pytest.mark.parametrize("imports", ['["ovdistill.register"]', '"ovdistill.register"'])
def test_an_old_config_registers_its_components(tmp_path, imports):
    path = write(
        tmp_path, f"custom_imports = dict(imports={imports}, allow_failed_imports=False)\n"
    )
    sys.modules.pop("ovdistill.register", None)
    load_config(path)
    assert MOVED_MODULES["ovdistill.register"] in sys.modules
    assert "ovdistill.register" not in sys.modules


def test_a_module_of_ones_own_is_imported(tmp_path, monkeypatch):
    write(tmp_path, "VALUE = 1\n", "my_own_module.py")
    path = write(tmp_path, 'custom_imports = dict(imports=["my_own_module"])\n')
    monkeypatch.syspath_prepend(tmp_path)
    load_config(path)
    assert sys.modules.pop("my_own_module").VALUE == 1


def test_a_module_that_cannot_be_imported_is_named_with_its_cause(tmp_path, monkeypatch):
    write(tmp_path, "import no_such_library\n", "my_broken_module.py")
    path = write(tmp_path, 'custom_imports = dict(imports=["my_broken_module"])\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"own\.py.*my_broken_module.*no_such_library"):
        load_config(path)
    path = write(
        tmp_path, 'custom_imports = dict(imports=["absent_one"], allow_failed_imports=True)\n'
    )
    with pytest.warns(UserWarning, match="absent_one"):
        load_config(path)
