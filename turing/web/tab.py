"""The tab with a study in it: the participant's own page, in a frame that is as large."""

import gradio as gr

CSS = """
.study-frame {
  display: block; width: 100%; height: clamp(560px, 160vw, 680px);
  border: 1px solid var(--border-color-primary); border-radius: 12px;
}
.study-heading {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
"""


def build_tab(name: str) -> None:
    """Shows the study `name`; call it within a Gradio tab. Names are letters, digits and "-".

    The address is the one that every proxy in front of a Gradio app passes on.
    """
    gr.HTML(
        '<h1 class="study-heading">The colorization Turing test</h1>'
        f'<iframe class="study-frame" src="gradio_api/study?study={name}" '
        'title="The colorization Turing test"></iframe>',
        padding=False,
    )
