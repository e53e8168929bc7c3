"""The training loop of a context, with three base classes and background."""

import torch
from torch.nn.functional import normalize

from ovdistill.vocabulary.learn import Recipe
from ovdistill.vocabulary.learn.train import learn_context, rate_of
from ovdistill.vocabulary.prompt_context import ContextPrompts, random_context

from .conftest import IS_BASE, NAMES


def test_the_loss_falls_and_only_base_classes_are_told_apart(teacher, samples):
    tower = teacher.text_tower()
    start = random_context(4, tower, 0)
    prompts = ContextPrompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    before, lines = start.clone(), []
    recipe = Recipe(batch=16, epochs=8, lr=0.5)
    learned = learn_context(start, prompts, samples, IS_BASE, 0.05, recipe, lines.append)
    losses = [float(line.rpartition(" ")[2]) for line in lines]
    assert len(losses) == 8 and lines[0].startswith("epoch 1 of 8: loss ")
    assert losses[-1] < 0.9 * losses[0]
    assert torch.equal(start, before) and not learned.requires_grad
    assert not torch.allclose(learned, start)


def gradient(start, prompts, samples):
    """Return the gradient of the mean loss of all samples at a context, by hand."""
    context = start.clone().requires_grad_()
    regions = normalize(samples.embeddings.float(), dim=1)
    log_p = (regions @ prompts.encode(context).T / 0.05).log_softmax(dim=1)
    # 12 of each: classes weigh 1 / (12 * 3 / 48) = 4/3, background 1 / (2 * 12 / 48) = 2
    rows = torch.arange(12) * 4
    of_class = -(log_p[rows, 0].sum() + log_p[rows + 1, 1].sum() + log_p[rows + 2, 2].sum())
    loss = (4 / 3 * of_class - 2 * log_p[rows + 3].mean(dim=1).sum()) / (36 * 4 / 3 + 12 * 2)
    loss.backward()
    return context.grad


def test_one_step_by_hand(teacher, samples):
    """A batch of all samples, one epoch: context - lr x gradient."""
    tower = teacher.text_tower()
    start = random_context(4, tower, 0)
    prompts = ContextPrompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    recipe = Recipe(batch=100, epochs=1, lr=0.25)
    learned = learn_context(start, prompts, samples, IS_BASE, 0.05, recipe, lambda line: None)
    expected = start - 0.25 * gradient(start, prompts, samples)
    torch.testing.assert_close(learned, expected, atol=1e-5, rtol=1e-4)


def test_coops_steps_by_hand(teacher, samples):
    """The first epoch has rate 1e-5; then momentum and decay at full rate, and at half of it."""
    tower = teacher.text_tower()
    start = random_context(4, tower, 0)
    prompts = ContextPrompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    recipe = Recipe(batch=100, epochs=3, lr=0.25, momentum=0.9, weight_decay=0.1, warmup=1 / 3)
    learned = learn_context(start, prompts, samples, IS_BASE, 0.05, recipe, lambda line: None)
    context, velocity = start, torch.zeros_like(start)
    for rate in (1e-5, 0.25, 0.125):
        velocity = 0.9 * velocity + gradient(context, prompts, samples) + 0.1 * context
        context = context - rate * velocity
    torch.testing.assert_close(learned, context, atol=1e-4, rtol=1e-4)


def test_the_rate_ends_near_zero_after_its_warm_up():
    share = rate_of(Recipe(lr=2e-3, warmup=0.2), steps=50)
    assert [share(step) for step in (0, 9)] == [0.005, 0.005]
    assert [share(step) for step in (10, 30)] == [1.0, 0.5] and 0 < share(49) < 0.002


def test_of_many_epochs_some_are_reported(teacher, samples):
    tower, lines = teacher.text_tower(), []
    prompts = ContextPrompts([NAMES[0], NAMES[2], NAMES[3]], tower, 1)
    recipe = Recipe(batch=100, epochs=30)
    start = random_context(1, tower, 0)
    learn_context(start, prompts, samples, IS_BASE, 0.05, recipe, lines.append)
    assert len(lines) == 10 and lines[-1].startswith("epoch 30 of 30: loss ")
