"""Makes a trained detector ready to hand out: weights in safetensors, and a config of its own.

    python tools/publish.py CONFIG CHECKPOINT -o DIR [--half]

writes DIR/NAME.safetensors (weights alone: no optimizer, nothing that can run) and
DIR/NAME_config.py (detector, test pipeline, teacher and templates), which is all that the demo
needs; prompts that were learned go into DIR/NAME_prompts.safetensors. Of a network without words,
which proposes regions, it writes the weights.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction
from safetensors.torch import save_file

from ovdistill.build import build_detector, load_config
from ovdistill.errors import run_tool
from ovdistill.vocabulary import TEMPLATES, Vocabulary
from ovdistill.vocabulary.learned import LearnedPrompts
from ovdistill.vocabulary.make import prompts_of


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config")
    parser.add_argument("checkpoint")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder")
    parser.add_argument("--name", default="student", help="of the two files")
    parser.add_argument("--half", action="store_true", help="float16, half the size")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction)
    args = parser.parse_args()
    config = load_config(args.config, args.cfg_options)
    model = build_detector(config, args.checkpoint)
    state = {
        name: (value.half() if args.half and value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    args.out.mkdir(parents=True, exist_ok=True)
    weights = args.out / f"{args.name}.safetensors"
    origin = {"config": Path(args.config).name}
    vocabulary = getattr(model, "vocabulary", None)
    if vocabulary is not None:
        origin |= {"teacher": vocabulary.teacher, "teacher_hash": vocabulary.teacher_hash}
        write_config(args.out / f"{args.name}_config.py", config, weights)
    save_file(state, f"{weights}.tmp", origin)
    os.chmod(f"{weights}.tmp", 0o644)  # safetensors makes it private
    os.replace(f"{weights}.tmp", weights)
    print(f"wrote {weights} ({weights.stat().st_size / 1e6:.1f} MB)")


def write_config(path: Path, config: Config, weights: Path) -> None:
    """The part of a config that finding text in pictures needs."""
    own = Config(
        dict(
            custom_imports=config.custom_imports,
            default_scope=config.default_scope,
            model={k: v for k, v in config.model.items() if k not in ("distillers", "vocabulary")},
            test_pipeline=config.test_pipeline,
            teacher=config.teacher,
            prepare=dict(vocabulary=dict(templates=_prompts(config, weights))),
        )
    )
    path.with_suffix(".tmp").write_text(
        f'"""The detector in {weights.name}, made by tools/publish.py."""\n\n{own.pretty_text}'
    )
    path.with_suffix(".tmp").replace(path)
    print(f"wrote {path}")


def _prompts(config: Config, weights: Path) -> str | list[str]:
    """The prompts of the detector's words: by name, as they are, or a file that is written here."""
    prompts = prompts_of(config)
    if isinstance(prompts, LearnedPrompts):
        path = weights.with_name(f"{weights.stem}_prompts.safetensors")
        Vocabulary.load(config.vocabulary).save(path)
        print(f"wrote {path}")
        return f"{{{{ fileDirname }}}}/{path.name}"  # mmengine's word for the config's folder
    return next((name for name, own in TEMPLATES.items() if own == prompts), list(prompts))


if __name__ == "__main__":
    run_tool(main)
