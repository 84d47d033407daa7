"""Pictures that carry their own description.

A `Picture` shows as an image with a text alternative in a notebook, as the image alone where
HTML is not rendered, and as the text in a terminal. It stands on an opaque light ground, so it
reads the same on a light and on a dark page. matplotlib is imported when one is drawn, not before.
"""

import base64
import html
import io

INK = "#1b1f24"
FAINT = "#6b7280"
LINE = "#c4c9d0"
GROUND = "#ffffff"
INPUT, STATE, OUTPUT = "#b45309", "#0b5cad", "#0a6b4a"  # each at least 4.5 : 1 on the ground
INPUT_FILL, STATE_FILL, OUTPUT_FILL = "#fdebd0", "#dbeafe", "#d3f2e3"
SCALE = 168  # dots an inch: twice what a page shows, for sharp screens


class Picture:
    """A drawing with its description.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    text : str
        What a reader who cannot see the drawing needs to know.
    """

    def __init__(self, figure, text):
        self.text = " ".join(text.split())
        self._inches = figure.get_size_inches()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=SCALE, facecolor=GROUND)
        self.png = buffer.getvalue()

    def __repr__(self):
        return f"[picture: {self.text}]"

    def _repr_html_(self):
        width = round(self._inches[0] * SCALE / 2)
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img alt="{html.escape(self.text)}" src="data:image/png;base64,{data}" '
            f'style="width:{width}px;max-width:100%;height:auto;border-radius:6px">'
        )

    def _repr_png_(self):
        return self.png


def canvas(width, height, rows=1, columns=1, axes_off=True):
    """A figure of so many inches and its axes, with equal scales and nothing drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : Axes or array of Axes
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns)
    if axes_off:
        for ax in [axes] if rows * columns == 1 else axes.flat:
            ax.set_aspect("equal")
            ax.axis("off")
    return figure, axes


def box(ax, x, y, label, fill, edge, width=0.8, height=0.56, size=11):
    """A rounded box with a label, centred on (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.1",
            facecolor=fill,
            edgecolor=edge,
            linewidth=1.3,
        )
    )
    ax.text(x, y, label, ha="center", va="center", color=INK, fontsize=size)


def arrow(ax, start, end, color=INK, dashed=False, bend=0.0):
    """An arrow from one point to another."""
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": color,
            "linewidth": 1.3,
            "linestyle": (0, (3, 2)) if dashed else "-",
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 11,
            "connectionstyle": f"arc3,rad={bend}",
        },
    )
