"""The schedule for a user's own data, by hand."""

from ovdistill.commands.dataset_schedule import schedule
from ovdistill.models.config import load_config


def test_schedule_by_hand():
    recipe = load_config("vild_r50_lvis")
    own = schedule(recipe, images=5000, epochs=10, batch=8)
    # 0.32 at 256 images; 10 * 5000 / 8 steps
    assert (own.batch, own.lr, own.iterations) == (8, 0.01, 6250)
    fields = own.fields()
    assert fields["warmup"] == 625 and fields["falls"] == [5625, 5937, 6093]
    # few images: at least 2000 steps, of the recipe's images a GPU
    own = schedule(recipe, images=50, epochs=10)
    assert (own.batch, own.lr, own.iterations) == (4, 0.005, 2000)
