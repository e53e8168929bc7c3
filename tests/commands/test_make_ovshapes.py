"""`ovdistill make-ovshapes` as a tool: exit codes and the preview."""

import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

from ovdistill.commands.make_ovshapes import MakeOvshapesOptions, make_ovshapes
from ovdistill.core.images import read_image
from ovdistill.ovshapes.domains import DOMAINS

TOOL = Path(__file__).parents[2] / "tools" / "make_shapes.py"


def test_bad_values_exit_with_2_and_no_traceback(tmp_path):
    command = [sys.executable, str(TOOL), "--root", str(tmp_path / "h"), "--train", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --train is 0") and "Traceback" not in done.stderr


def test_the_preview_is_written_and_nothing_else(tmp_path):
    sheet = tmp_path / "sheet.png"
    subprocess.run([sys.executable, str(TOOL), "--preview", str(sheet)], check=True, cwd=tmp_path)
    assert read_image(sheet).shape[1] == 6 * 256
    assert list(tmp_path.iterdir()) == [sheet]


def test_a_domain_has_a_preview_of_its_own(tmp_path):
    painted, crayon = tmp_path / "painted.png", tmp_path / "crayon.png"
    make_ovshapes(MakeOvshapesOptions(preview=str(painted)))
    make_ovshapes(MakeOvshapesOptions(preview=str(crayon), domain="crayon"))
    assert painted.read_bytes() != crayon.read_bytes()


def test_the_preview_has_the_size(tmp_path):
    sheet = tmp_path / "sheet.png"
    make_ovshapes(MakeOvshapesOptions(preview=str(sheet), size=64))
    assert read_image(sheet).shape[1] < 6 * 256


def test_the_option_has_every_domain():
    assert get_args(get_type_hints(MakeOvshapesOptions)["domain"]) == (*DOMAINS,)
