import io

import numpy as np
import pytest

from course.given import RNNModelParams, baselines, draw
from course.given import training as module
from course.given.data import DataMissing, LabelledNames
from course.given.progress import Bar
from course.given.training import Adam, ManyToOne, fit, needs


def unfinished(x):
    raise NotImplementedError


def broken(x):
    return x + "one"


def outer(x):
    return unfinished(x)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: unfinished(1), "waits for unfinished: finish it above"),
        (lambda: outer(1), "waits for unfinished"),
        (lambda: broken(1), "broken stopped this cell (TypeError: "),
        (lambda: undefined, "uses what cells above it make (NameError: "),  # noqa: F821 (on purpose)
        (lambda: 1 / 0, "stopped (ZeroDivisionError: division by zero). Are these finished: "),
    ],
)
def test_needs_goes_on_and_explains(call, said, capsys):
    with needs(unfinished, broken, outer):
        call()
    assert said in capsys.readouterr().out


def test_needs_says_nothing_when_all_is_well(capsys):
    with needs(broken):
        done = True
    assert done and capsys.readouterr().out == ""


def test_needs_names_missing_data_first(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    with needs("names", unfinished):
        raise DataMissing
    assert "unrolled data prepare names" in capsys.readouterr().out


def test_needs_lets_an_interrupt_through():
    with pytest.raises(KeyboardInterrupt), needs(unfinished):
        raise KeyboardInterrupt


def test_fit_without_a_front_end(capsys):
    losses = fit(lambda step: 1 / (1 + step), 7, label="going")
    np.testing.assert_allclose(losses, 1 / np.arange(1, 8))
    assert capsys.readouterr().err.startswith("going ") and losses.shape == (7,)


def test_a_running_fit_has_text_and_a_picture():
    running = module._Running("a < b", 10, np.linspace(2, 1, 5), 3.0)
    assert "5/10 loss 1.500 (3 s)" in repr(running)
    page = running._repr_html_()
    assert "a &lt; b: step 5 of 10, loss 1.500" in page and 'role="img"' in page


def test_bar_in_a_terminal_stays_on_one_line():
    stream = io.StringIO()
    stream.isatty = lambda: True
    bar = Bar(2, "archives", stream)
    bar.advance("a long note", steps=0)
    bar.advance("one", steps=2)
    assert stream.getvalue().count("\n") == 1 and stream.getvalue().count("\r") == 2


def test_adam_takes_steps_of_the_learning_rate():
    params = RNNModelParams(*(np.zeros(2) for _ in range(5)))
    grads = RNNModelParams(*(np.array([3.0, -0.01]) for _ in range(5)))
    Adam(params, learning_rate=0.1).step(grads)
    for w in params:  # the first step is the learning rate, whatever the gradient's size
        np.testing.assert_allclose(w, [-0.1, 0.1], rtol=1e-5)


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(5, 4, 3))
    mask = np.arange(5)[:, None] < np.array([5, 1, 3, 4])
    params = draw(RNNModelParams, rng, n_x=3, n_a=6, n_y=2)
    return params, x, mask, np.array([0, 1, 1, 0])


def test_many_to_one_agrees_with_the_reference(batch):
    from solutions.rnn import last_states, output_forward, rnn_forward, softmax

    params, x, mask, y = batch
    model = ManyToOne(params)
    a, _caches = rnn_forward(x, np.zeros((4, 6)), params)
    y_hat = output_forward(last_states(a, mask), params)
    np.testing.assert_allclose(softmax(model.scores(x, mask)), y_hat, rtol=1e-12)
    loss, _grads = model.loss_and_gradients(x, mask, y)
    assert np.isclose(loss, -np.log(y_hat[np.arange(4), y]).mean(), rtol=1e-12)


def test_many_to_one_gradients_by_central_differences(batch):
    params, x, mask, y = batch
    _loss, grads = ManyToOne(params).loss_and_gradients(x, mask, y)
    step = 1e-6
    for name, w in params._asdict().items():
        for index in np.ndindex(w.shape):
            slope = 0.0
            for sign in (1, -1):
                moved = w.copy()
                moved[index] += sign * step
                other = ManyToOne(params._replace(**{name: moved}))
                slope += sign * other.loss_and_gradients(x, mask, y)[0] / (2 * step)
            assert abs(slope - getattr(grads, name)[index]) < 1e-8, (name, index)


def test_baselines():
    train = LabelledNames(("ab", "ab", "ba"), np.array([0, 0, 1]))
    test = LabelledNames(("ab", "ba", "zz"), np.array([0, 1, 1]))
    assert baselines.majority(train.y, test.y) == pytest.approx(1 / 3)
    test = test._replace(names=("ab", "ba", "ba"))
    assert baselines.ngram_accuracy(train, test, 1, 2) == pytest.approx(1 / 3)  # order is lost
    assert baselines.ngram_accuracy(train, test, 2, 2) == 1
