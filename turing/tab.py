"""The tab with a study in it: the participant's own page, in a frame that is as large."""

import gradio as gr

CSS = """
.study-frame { width: 100%; height: 860px; border: 0; border-radius: 12px; }
@media (max-width: 640px) { .study-frame { height: 760px; } }
"""


def build_tab(name: str) -> None:
    """Shows the study `name`; call it within a Gradio tab. Names are letters, digits and "-"."""
    gr.HTML(
        f'<iframe class="study-frame" src="study?study={name}" '
        'title="The colorization Turing test"></iframe>',
        padding=False,
    )
