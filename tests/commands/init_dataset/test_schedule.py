"""The schedule for a user's own data, by hand."""

import pytest
import torch
from mmengine.optim.scheduler import LinearLR, MultiStepLR

from ovdistill.commands.init_dataset.schedule import Schedule, schedule
from ovdistill.models.config import load_config


def test_schedule_by_hand():
    recipe = load_config("vild_r50_lvis")
    own = schedule(recipe, images=5000, epochs=10, batch=8)
    # 0.32 at 256 images; 10 * 5000 / 8 steps
    assert (own.batch, own.lr, own.iterations) == (8, 0.01, 6250)
    warmup, falls = own.scheduler
    assert warmup["end"] == 625 and falls["milestones"] == [5625, 5937, 6093]
    assert own.interval == 1563
    # few images: few steps, of the recipe's images a GPU; the last batch may be a part
    own = schedule(recipe, images=50, epochs=10)
    assert (own.batch, own.lr, own.iterations, own.interval) == (4, 0.005, 125, 32)
    assert schedule(recipe, images=5, epochs=1).iterations == 2
    assert schedule(recipe, images=5, iterations=7).iterations == 7
    assert schedule(recipe, images=8).iterations == 72  # 36 epochs


@pytest.mark.parametrize("iterations", [100, 101, 102, 103, 6250])
def test_there_are_four_validations_with_that_after_the_last_iteration(iterations):
    interval = Schedule(batch=4, lr=0.5, iterations=iterations).interval
    validated = {step for step in range(1, iterations + 1) if step % interval == 0}
    assert len(validated | {iterations}) == 4


@pytest.mark.parametrize("iterations", [1, 3, 4, 10, 30, 99, 400])
def test_the_learning_rate_rises_to_that_of_the_recipe_and_falls_in_any_length(iterations):
    own = Schedule(batch=4, lr=0.5, iterations=iterations)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], own.lr)
    classes = dict(LinearLR=LinearLR, MultiStepLR=MultiStepLR)
    schedulers = [
        classes[step["type"]](optimizer, **{k: v for k, v in step.items() if k != "type"})
        for step in own.scheduler
    ]
    rates = []
    for _ in range(iterations):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for each in schedulers:
            each.step()
    assert max(rates) == pytest.approx(own.lr)
    assert sum(rate > 0.49 for rate in rates) >= 0.4 * iterations
    assert iterations < 10 or rates[-1] < 0.1 * own.lr * 1.001
    assert 1 <= own.interval <= iterations


def test_statistics_settle_in_the_iterations_that_there_are():
    assert Schedule(4, 0.1, 180000).momentum(0.003) == 0.003
    assert Schedule(4, 0.1, 200).momentum(0.003) == 0.03  # 1 - 0.97^200 = 99.8 %
    assert Schedule(4, 0.1, 10).momentum(0.003) == 0.1
    assert Schedule(4, 0.1, 10).momentum(0.5) == 0.5
