"""Short messages that a notebook and a terminal both show well."""

import html


class Notice(str):
    """A sentence or a few lines; in a notebook it is shown as text, not as a quoted string."""

    passed = False

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        style = (
            "background:#f3f3f3;color:#1b1b1b;border-left:4px solid #4a4a4a;padding:.6em .9em;"
            "font-family:sans-serif;font-size:14px;line-height:1.45;max-width:60em;"
            "white-space:pre-wrap"
        )
        return f'<div role="status" style="{style}">{html.escape(self)}</div>'
