"""What the package ships is there."""

from ovdistill.core import assets


def test_shipped_files_exist() -> None:
    assert (assets.TEACHER_DIR / "open_clip_config.json").is_file()
    for path in (
        assets.STUDENT_CONFIG,
        assets.STUDENT / "model.safetensors",
        assets.SAMPLE_IMAGE,
        assets.LVIS_CATEGORIES,
    ):
        assert path.is_file()
    assert assets.shipped_proposals("proposals_shape").is_file()
    assert not assets.shipped_proposals("none").exists()
