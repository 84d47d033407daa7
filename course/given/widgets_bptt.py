"""The interactive figure of unit 03: a gradient on its way back through time."""

import ipywidgets
import numpy as np

from course.given import figures_bptt
from course.given.echo import spectral_radius
from course.given.types import RNNParams, draw
from course.given.widgets import Interactive, View, beside, svg

UNITS, STEPS = 24, 40
FLOOR = 1e-12  # the lowest bar, in units of the last step's gradient
TOP = 1e6


def gradient_flow(radius=0.8, gap=10, limit=5.0, seed=3):
    """How large a gradient is after each step back, and what clipping makes of it.

    A network of 24 units reads 40 random inputs, and its loss is at the last step. Waa is scaled
    to a spectral radius; everything else stays.

    Parameters
    ----------
    radius : float, optional
    gap : int, optional
        Steps back at which the gradient is read out.
    limit : float, optional
        Of clipping by norm.
    seed : int, optional

    Returns
    -------
    Interactive
    """
    radius_box = ipywidgets.BoundedFloatText(
        value=radius, min=0.1, max=3.0, step=0.05, description="Radius"
    )
    gap_box = ipywidgets.BoundedIntText(value=gap, min=1, max=STEPS - 1, description="Steps back")
    limit_box = ipywidgets.BoundedFloatText(
        value=limit, min=0.01, max=1000.0, step=0.5, description="Clip at"
    )
    clip = ipywidgets.Checkbox(value=False, description="Clip by norm", indent=False)
    view = View()

    def redraw(_change=None):
        limit_box.disabled = not clip.value
        found = measure(radius_box.value, seed)
        view.show(*_shown(*found, gap_box.value, limit_box.value if clip.value else None))

    for control in (radius_box, gap_box, limit_box, clip):
        control.observe(redraw, "value")
    redraw()
    controls = beside(radius_box, gap_box, clip, limit_box)
    curves = {f"radius {r:g}": measure(r, seed)[0] for r in (0.5, 0.8, 1.0, 1.5)}
    return Interactive([controls, view], figures_bptt.norms(curves))


def measure(radius, seed):
    """Gradients of a loss at the last step, for one spectral radius.

    Parameters
    ----------
    radius : float
    seed : int

    Returns
    -------
    norms : (STEPS - 1,) ndarray
        Of the gradient of the state 1, 2, ... steps before the last, that of the last being 1.
    shares : (STEPS,) ndarray
        Norms of what the steps add to the gradient of Waa, the last step's first.
    total : float
        Norm of the gradient of all parameters.
    """
    from course.given import RNN

    rng = np.random.default_rng(seed)
    params = draw(RNNParams, rng, n_x=1, n_a=UNITS)
    params = params._replace(
        Wax=0.3 * params.Wax, Waa=params.Waa * (radius / spectral_radius(params.Waa))
    )
    layer = RNN(params)
    a = layer.forward(rng.standard_normal((STEPS, 1, 1)))[:, 0]
    before = np.concatenate([np.zeros((1, UNITS)), a[:-1]])
    da = rng.standard_normal(UNITS)
    da, norms, shares, total = da / np.linalg.norm(da), [], [], np.zeros(UNITS * (UNITS + 2))
    for t in reversed(range(STEPS)):
        ds = da * (1 - a[t] ** 2)
        step = np.concatenate([np.outer(ds, before[t]).ravel(), ds, ds * layer._x[t, 0, 0]])
        shares.append(np.linalg.norm(ds) * np.linalg.norm(before[t]))
        total += step
        da = ds @ params.Waa
        norms.append(np.linalg.norm(da))
    return np.array(norms[:-1]), np.array(shares), float(np.linalg.norm(total))


def _shown(norms, shares, total, gap, limit):
    """Bars, the nearest step at the right, and what they say in words."""
    bars = "".join(_bar(k + 1, norm, k + 1 == gap) for k, norm in enumerate(norms))
    line = _height(1.0)
    width = 14 * STEPS + 8
    drawn = (
        f'{bars}<path d="M0 {line:.1f}H{width}" stroke="currentColor" stroke-dasharray="4 3"/>'
        f'<g font-size="12" fill="currentColor"><text x="2" y="{line - 5:.1f}">1, its size at the '
        'last step</text><text x="2" y="146">'
        f"{len(norms)} steps back, on a logarithmic scale</text>"
        f'<text x="{width - 4}" y="146" text-anchor="end">the last step</text></g>'
    )
    label = (
        f"Size of the gradient against steps back, logarithmic: {norms[0]:.2g} after 1 step, "
        f"{norms[-1]:.2g} after {len(norms)}"
    )
    return svg(width, 150, label, drawn), f"{_say(norms, shares, gap)}<br>{_clip(total, limit)}"


def _say(norms, shares, gap):
    far = shares[gap:].sum() / shares.sum()
    return (
        f"{gap} step{'s' if gap > 1 else ''} back the gradient is <b>{_number(norms[gap - 1])}</b> "
        f"times what it was at the last step. That step and those further back make up "
        f"{_percent(far)} of the gradient of Waa."
    )


def _clip(total, limit):
    """What clipping does, in words."""
    if limit is None:
        return f"The whole gradient has norm {_number(total)}; nothing is clipped."
    if total <= limit:
        return (
            f"The whole gradient has norm {_number(total)}, within {limit:g}: clipping leaves "
            "it as it is, and what is small stays small."
        )
    return (
        f"The whole gradient has norm {_number(total)}; clipped to {limit:g}, everything is "
        f"multiplied by {_number(limit / total)}, the near steps and the far ones alike: the "
        "shares stay as they are."
    )


def _bar(back, norm, chosen):
    """One bar; the chosen one is outlined and marked, so that colour is not all."""
    x, top = 14 * (STEPS - back) - 6, _height(norm)
    mark = (
        f'<path d="M{x - 1} {top - 12:.1f}h12l-6 8z" fill="currentColor"/>'
        f'<rect x="{x}" y="{top:.1f}" width="10" height="{130 - top:.1f}" fill="none" '
        'stroke="currentColor" stroke-width="2"/>'
        if chosen
        else ""
    )
    return f'<rect x="{x}" y="{top:.1f}" width="10" height="{130 - top:.1f}" fill="#3b82f6"/>{mark}'


def _height(norm):
    share = np.log(np.clip(norm, FLOOR, TOP) / FLOOR) / np.log(TOP / FLOOR)
    return float(130 - 112 * share)


def _number(value):
    return f"{value:.3g}" if 1e-3 <= value < 1e4 else f"{value:.1e}".replace("-", "−")


def _percent(share):
    return f"{100 * share:.1f} %" if share >= 1e-3 else f"{100 * share:.0e} %".replace("-", "−")
