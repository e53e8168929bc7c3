"""Where weights are looked for; nothing is downloaded while offline."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.offline import OFFLINE_VARIABLES
from ovdistill.teacher import weights
from ovdistill.teacher.weights import (
    CONFIG_NAME,
    find_directory,
    find_pretrained,
    has_unknown_settings,
    require_weights,
)


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OFFLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_directory(str(TEACHER_DIR)) == TEACHER_DIR
    assert find_directory(f"local-dir:{TEACHER_DIR}") == TEACHER_DIR
    assert find_directory("ViT-B-32") is None
    assert find_directory("ViT-B/32") is None  # OpenAI's spelling, no path
    for missing in ("no/such/place", "local-dir:place", "./place"):
        with pytest.raises(UserError, match="place"):
            find_directory(missing)
    with pytest.raises(UserError, match=CONFIG_NAME):
        find_directory(str(tmp_path))


def test_a_directory_without_weights(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=tmp_path.name):
        require_weights(tmp_path)
    (tmp_path / "a.safetensors").write_text("")
    require_weights(tmp_path)


def test_the_hub_is_asked_for_the_cache_only_while_offline(
    online: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_directory("hf-hub:org/repo") is None
    monkeypatch.setenv("OVDISTILL_OFFLINE", "1")
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *_: None)
    with pytest.raises(UserError, match="org/repo"):
        find_directory("hf-hub:org/repo")
    cached = str(tmp_path / CONFIG_NAME)
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *_: cached)
    assert find_directory("hf-hub:org/repo") == tmp_path


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "w.pt").write_text("")
    return str(tmp_path / "w.pt")


def test_the_file_of_a_tag_is_used_as_the_tag_says(file: str) -> None:
    for model, tag in (("ViT-B-32", "openai"), ("ViT-B-32", "laion2b_s34b_b79k")):
        path, options = find_pretrained(model, f"{tag}={file}")
        assert path == file and options["force_quick_gelu"] == (tag == "openai")
        assert not has_unknown_settings(model, f"{tag}={file}")
    with pytest.raises(UserError, match="no file '/missing'"):
        find_pretrained("ViT-B-32", "openai=/missing")
    with pytest.raises(UserError, match="expected one of openai"):
        find_pretrained("ViT-B-32", f"opanai={file}")


def test_a_file_of_no_tag_is_used_as_all_tags_agree(
    file: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, options = find_pretrained("ViT-B-16-SigLIP", file)
    assert path == file and options["force_preprocess_cfg"]["mean"] == (0.5, 0.5, 0.5)
    assert options["force_preprocess_cfg"]["resize_mode"] == "squash"
    assert find_pretrained("ViT-B-32-quickgelu", file)[1]["force_quick_gelu"] is True
    assert find_pretrained("ViT-L-16", file) == (file, {})  # there are no tags
    assert not any(map(has_unknown_settings, ("ViT-B-16-SigLIP", "ViT-L-16"), (file, file)))
    assert not caplog.records


def test_a_file_of_no_tag_where_tags_differ(file: str, caplog: pytest.LogCaptureFixture) -> None:
    assert find_pretrained("ViT-B-32", file) == (file, {})
    assert has_unknown_settings("ViT-B/32", file)
    (record,) = caplog.records
    assert "openai" in record.message and f"TAG={file}" in record.message
    assert not has_unknown_settings("ViT-B-32", "openai")
    assert not has_unknown_settings("ViT-B-32", None)


def test_a_tag_brings_its_options(online: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "download_pretrained", lambda config: "file")
    path, options = find_pretrained("ViT-B-32", "openai")
    assert path == "file" and options["force_quick_gelu"] is True
    assert len(options["force_preprocess_cfg"]["mean"]) == 3
    assert find_pretrained("ViT-B-32", "laion2b_s34b_b79k")[1]["force_quick_gelu"] is False


def test_a_cached_tag_is_found_while_offline(
    online: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVDISTILL_OFFLINE", "1")
    cached = str(tmp_path / "cached.safetensors")
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *_: cached)
    assert find_pretrained("ViT-B-32", "laion2b_s34b_b79k")[0] == cached


@pytest.mark.parametrize("pretrained", [None, "missing.pt"])
def test_no_or_unknown_weights_name_the_tags(pretrained: str | None) -> None:
    with pytest.raises(UserError, match="openai"):
        find_pretrained("ViT-B-32", pretrained)
