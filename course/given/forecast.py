"""Forecasts of temperature, for unit 08: the task, rules to compare with, and a fast network.

Everything is a departure from the season: what a day's number was more than is usual on that day
of the year. What is usual, and how far departures go, is learned from the training years alone.
"""

from typing import NamedTuple

import numpy as np

from course.given.layers import GRU, Dropout, Stacked
from course.given.types import DeepOutputParams, GRUParams, draw

SPLITS = ("train", "validation", "test")


class Task(NamedTuple):
    """Forecast the highest temperature of the next n_y days, at the end of each of N days.

    Attributes
    ----------
    x : (N, n_x) ndarray
        What is known then: departures of both temperatures, rain and wind, and the season.
    y : (N, n_y) ndarray
        By how much the departure of the temperature will change until 1, 2, ... days later;
        NaN where the days end.
    today : (N,) ndarray
        The departure of the day itself.
    usual : (N,) ndarray
        The temperature that is usual on each day, in degrees.
    scale : float
        Degrees that one unit of x, y and today stands for.
    temp_max : (N,) ndarray
        The temperatures themselves, in degrees.
    splits : dict of str to slice
    """

    x: np.ndarray
    y: np.ndarray
    today: np.ndarray
    usual: np.ndarray
    scale: float
    temp_max: np.ndarray
    splits: dict


def task(weather, n_y=3):
    """The task of forecasting.

    Parameters
    ----------
    weather : Weather
    n_y : int, optional
        Days ahead.

    Returns
    -------
    Task
    """
    year = 2 * np.pi * _day_of_year(weather.dates) / 365.25
    seasons = np.stack([np.ones_like(year), np.sin(year), np.cos(year)], axis=1)
    rain = np.sqrt(weather.precipitation)  # 50 mm are not ten times as telling as 5 mm
    known = np.stack([weather.temp_max, weather.temp_min, rain, weather.wind], axis=1)
    usual = seasons @ np.linalg.lstsq(seasons[weather.train], known[weather.train])[0]
    scale = (known - usual)[weather.train].std(axis=0)
    departures = (known - usual) / scale
    today = departures[:, 0]
    later = np.full((len(today), n_y), np.nan)
    for h in range(1, n_y + 1):
        later[:-h, h - 1] = today[h:]
    return Task(
        x=np.concatenate([departures, seasons[:, 1:]], axis=1),
        y=later - today[:, None],
        today=today,
        usual=usual[:, 0],
        scale=float(scale[0]),
        temp_max=weather.temp_max,
        splits={name: getattr(weather, name) for name in SPLITS},
    )


def _day_of_year(dates):
    first = dates.astype("datetime64[Y]").astype(dates.dtype)
    return (dates - first).astype(int)


def degrees(task, y_hat):
    """Forecast changes as temperatures.

    Parameters
    ----------
    task : Task
    y_hat : (N, n_y) ndarray
        Forecast changes of the departure, from each day on.

    Returns
    -------
    (N, n_y) ndarray
        In degrees; NaN where the days end.
    """
    usual = np.full(y_hat.shape, np.nan)
    for h in range(1, y_hat.shape[1] + 1):
        usual[:-h, h - 1] = task.usual[h:]
    return usual + (task.today[:, None] + y_hat) * task.scale


def errors(task, forecast, split):
    """Errors of forecasts of the days of one split, in degrees.

    Parameters
    ----------
    task : Task
    forecast : (N, n_y) ndarray
        In degrees.
    split : str

    Returns
    -------
    (days, n_y) ndarray
        Row by row of the days on which all n_y forecasts are of days of the split: the first is
        made on the evening before the split begins.
    """
    n_y, days = forecast.shape[1], task.splits[split]
    made = np.arange(max(days.start - 1, 0), days.stop - n_y)
    truth = np.stack([task.temp_max[made + h] for h in range(1, n_y + 1)], axis=1)
    return forecast[made] - truth


def rmse(task, forecast, split):
    """The root of the mean squared error, in degrees, for 1, 2, ... days ahead."""
    return np.sqrt((errors(task, forecast, split) ** 2).mean(axis=0))


def gain(task, one, other, split, weeks=7):
    """How much smaller one forecast's error is than another's, one day ahead.

    Parameters
    ----------
    task : Task
    one, other : (N, n_y) ndarray
        In degrees.
    split : str
    weeks : int, optional
        Days that stay together when the error is estimated, since neighbouring days are alike.

    Returns
    -------
    gain : float
        In degrees: the other's root of the mean squared error less this one's.
    error : float
        Its standard error: how far it swings when whole weeks are drawn anew.
    """
    squares = [errors(task, each, split)[:, 0] ** 2 for each in (one, other)]
    blocks = np.array_split(np.stack(squares, axis=1), len(squares[0]) // weeks)
    sums = np.array([block.sum(axis=0) for block in blocks])  # (weeks, 2)
    sizes = np.array([len(block) for block in blocks])
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(blocks), (1000, len(blocks)))
    means = np.sqrt(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)[:, None])
    whole = np.sqrt(sums.sum(axis=0) / sizes.sum())
    return float(whole[1] - whole[0]), float((means[:, 1] - means[:, 0]).std())


# ---- rules to compare with ---------------------------------------------------------------------


def persistence(task):
    """The weather stays as it is: every day ahead is as warm as today."""
    return np.repeat(task.temp_max[:, None], task.y.shape[1], axis=1)


def as_usual(task):
    """Every day is as warm as is usual on it."""
    return degrees(task, np.repeat(-task.today[:, None], task.y.shape[1], axis=1))


def linear(task, days, ridge=30.0):
    """The best weighted sum of what the last days brought, by least squares on the training days.

    Parameters
    ----------
    task : Task
    days : int
        How many days back it looks.
    ridge : float, optional
        What large weights cost.

    Returns
    -------
    (N, n_y) ndarray
        In degrees; NaN for the first days.
    """
    N, n_y = task.y.shape
    seen = np.concatenate([np.roll(task.x, k, axis=0) for k in range(days)], axis=1)
    seen = np.concatenate([np.ones((N, 1)), seen], axis=1)
    fitted = np.arange(days - 1, task.splits["train"].stop - n_y)
    A, cost = seen[fitted], ridge * np.eye(seen.shape[1])
    cost[0, 0] = 0
    y_hat = seen @ np.linalg.solve(A.T @ A + cost, A.T @ task.y[fitted])
    y_hat[: days - 1] = np.nan  # np.roll has put the last days there
    return degrees(task, y_hat)


# ---- the network -------------------------------------------------------------------------------


class Forecaster:
    """GRU layers with dropout between, and a deep output network on the top one.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the weights, and what is dropped.
    n_x, n_y : int
    n_layers : int, optional
    n_a, n_h : int, optional
        Units of each recurrent layer, and of the output network.
    rate : float, optional
        Of dropout, between the layers and below the output network.
    dtype : dtype, optional

    Attributes
    ----------
    layers : list of GRU
        From the bottom up.
    head : DeepOutputParams
    """

    def __init__(self, rng, n_x, n_y, n_layers=2, n_a=12, n_h=16, rate=0.2, dtype=np.float32):
        widths = [n_x, *[n_a] * n_layers]
        self.layers = [
            GRU(draw(GRUParams, rng, dtype, n_x=below, n_a=n_a)) for below in widths[:-1]
        ]
        self.head = draw(DeepOutputParams, rng, dtype, n_a=n_a, n_h=n_h, n_y=n_y)
        self.drops = [Dropout(rate, rng) for _ in self.layers]
        parts = [part for pair in zip(self.layers, self.drops, strict=True) for part in pair]
        self.stack = Stacked(*parts[:-1])  # the last one drops of what the output network reads

    @property
    def params(self):
        """All arrays, those of the lowest layer first: what an optimiser changes in place."""
        return [*(w for layer in self.layers for w in layer.params), *self.head]

    def loss_and_gradients(self, x, y, skip=0):
        """Mean squared error of a batch, and its gradient.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        y : (T_x, m, n_y) ndarray
        skip : int, optional
            First steps whose forecasts do not count: the network has seen too little yet.

        Returns
        -------
        loss : float
        grads : list of ndarray
            As `params`.
        """
        y_hat, a, h = self._run(x)
        error = y_hat - y
        error[:skip] = 0
        counted = error[skip:].size
        dy_hat = 2 * error / counted
        da, head = _through_output(dy_hat, a, h, self.head)
        grads = self.stack.backward(self.drops[-1].backward(da)[0])[-1]
        flat = [g for own in grads for g in own]
        return float((error**2).sum() / counted), [*flat, *head]

    def forecast(self, x):
        """Forecasts at every step, with nothing dropped.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray

        Returns
        -------
        y_hat : (T_x, m, n_y) ndarray
        """
        self._set_training(False)
        y_hat = self._run(x)[0]
        self._set_training(True)
        return y_hat

    def _run(self, x):
        a = self.drops[-1].forward(self.stack.forward(x))
        h = np.tanh(_linear(a, self.head.Wha, self.head.bh))
        return _linear(h, self.head.Wyh, self.head.by), a, h

    def _set_training(self, training):
        for drop in self.drops:
            drop.training = training


def _linear(x, W, b):
    return x @ W.T + b


def _through_output(dy_hat, a, h, p):
    """Back through the output network: gradients of a, and of its parameters."""
    flat = [array.reshape(-1, array.shape[-1]) for array in (dy_hat, a, h)]
    out, states, hidden = flat
    ds = (out @ p.Wyh) * (1 - hidden**2)
    grads = DeepOutputParams(ds.T @ states, ds.sum(axis=0), out.T @ hidden, out.sum(axis=0))
    return (ds @ p.Wha).reshape(a.shape), grads


def windows(task, rng, T_x=60, m=16, dtype=np.float32):
    """A batch of stretches of the training years, each T_x days long.

    Parameters
    ----------
    task : Task
    rng : numpy.random.Generator
    T_x, m : int, optional
    dtype : dtype, optional

    Returns
    -------
    x : (T_x, m, n_x) ndarray
    y : (T_x, m, n_y) ndarray
        All of them changes between training days.
    """
    last = task.splits["train"].stop - T_x - task.y.shape[1]
    days = rng.integers(0, last + 1, m) + np.arange(T_x)[:, None]  # (T_x, m)
    return task.x[days].astype(dtype), task.y[days].astype(dtype)
