"""Read a config: recipes by name, overrides, and placeholders.

Placeholders (``placeholders.py``) are filled after the overrides are merged, so that one
``--cfg-options data_root=DIR`` moves everything that is below it. ``{config_folder}`` is the folder
of the config file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.models import config_text
from ovdistill.models.config_options import merge_options
from ovdistill.models.neck_channels import fit_neck
from ovdistill.models.placeholders import fill_placeholders
from ovdistill.models.published_config import read_published
from ovdistill.models.python_config import NO_YAML, place_of, read_python

config_text.install()
# the placeholders that say where the data are; another config of the same data is read with them
DATA_PLACEHOLDERS = (
    *("data_root", "split", "vocabulary", "cache", "train_ann", "val_ann"),
    *("images", "train_images", "val_images"),
)
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
# modules that configs of earlier versions import, and where they are now
MOVED_MODULES = {"ovdistill.register": "ovdistill.models.register"}


def load_config(
    name: str | Path,
    options: Mapping[str, Any] | None = None,
    placeholders: Mapping[str, str] | None = None,
) -> Config:
    """Read a config, merge overrides into it and fill its placeholders (see above).

    ``in_channels="auto"`` of the model's neck becomes the numbers of its backbone
    (``neck_channels``). A data loader without workers keeps none between epochs, whatever it says.

    The modules that its ``custom_imports`` names are imported, which registers its components.

    Args:
        name: a config file, or the name of a shipped recipe such as 'vild_r18_shapes'.
        options: dotted keys and values, as ``--cfg-options`` gives them.
        placeholders: the ``placeholder_values`` of another config of the same data. Those that this
            config does not have are left out.

    Raises:
        UserError: there is no such file, it cannot be read as what its suffix says, a module of
            ``custom_imports`` cannot be imported, the options do not fit, a data loader is no
            dictionary, or placeholders name each other in a circle; or see ``fit_neck``.
    """
    path = find_recipe(name)
    config = read_config(path)
    try:
        config.merge_from_dict({k: v for k, v in (placeholders or {}).items() if k in config})
        merge_options(config, options or {}, path)
        values = fill_placeholders(config.to_dict(), {"config_folder": str(path.parent)})
    except RecursionError:
        raise UserError(f"{path} holds values that are nested too deeply, or in a circle") from None
    if values.get("prepare", {}) is None:
        values["prepare"] = {}  # no step at all, as a step that is None is not made
    filled = Config(values, filename=str(path))
    fit_neck(filled.get("model"))
    for key in LOADERS:
        loader = filled.get(key)
        if loader is None:
            continue
        if not isinstance(loader, dict):
            raise UserError(f"{path}, {key}: got {loader!r:.100}; expected a dict, or None")
        if not loader.get("num_workers") and loader.get("persistent_workers"):
            loader["persistent_workers"] = False  # else torch refuses num_workers=0
    return filled


def read_config(path: Path) -> Config:
    """Read a file as it is, by its suffix: Python, or the JSON of a published detector.

    Raises:
        UserError: see ``load_config``.
    """
    if path.suffix == ".json":
        return Config(read_published(path), filename=str(path))
    if path.suffix in (".yaml", ".yml"):
        raise UserError(f"got the config {path}. {NO_YAML}")
    if path.suffix != ".py":
        raise UserError(f"got the config {path}; expected a .py file, or a published .json")
    config = read_python(path)
    _import_custom_modules(config, path)
    return config


def placeholder_values(config: Config) -> dict[str, str]:
    """Return the values with which another config of the same data is to be read."""
    return {name: config[name] for name in DATA_PLACEHOLDERS if name in config}


def _import_custom_modules(config: Config, path: Path) -> None:
    """Import the modules that ``custom_imports`` names, moved ones from their new place.

    Raises:
        UserError: a module cannot be imported.
    """
    custom = config.get("custom_imports")
    if not custom:
        return
    names = custom.get("imports") if isinstance(custom, Mapping) else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise UserError(f"custom_imports of {path}: got {custom}; expected dict(imports=[NAME])")
    names = [MOVED_MODULES.get(name, name) for name in names]
    try:
        import_modules_from_strings(names, custom.get("allow_failed_imports", False))
    except (Exception, SystemExit) as error:  # a module of one's own may raise anything
        # mmengine names the module; what is wrong with it is in the error that it caught
        cause = error.__context__ if isinstance(error, ImportError) else None
        reason = f"{error} ({cause})" if cause else f"{type(error).__name__}: {error}"
        if not isinstance(error, ImportError) and (place := place_of(error)):
            reason = f"{place}: {reason}"
        raise UserError(
            f"custom_imports of {path}, {', '.join(names)}: {reason}. Expected modules that "
            "Python can import; those of your own need their folder in PYTHONPATH."
        ) from error
