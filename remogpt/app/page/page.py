"""Lay out the page and put it into the application, so that nothing of it leaves this machine."""

import os
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read while gradio is imported

import gradio as gr
from fastapi import FastAPI

from remogpt.app.page.caption_tab import caption_tab
from remogpt.app.page.databases_tab import databases_tab
from remogpt.app.page.gallery_tab import gallery_tab
from remogpt.app.page.generate_tab import generate_tab
from remogpt.app.page.search_tab import search_tab
from remogpt.app.page.shared import PAGE_FILES, database_choices, owner
from remogpt.app.service.service import Service
from remogpt.motion.player import PLAYER_LEGEND, PLAYER_SCRIPT, PLAYER_STYLE

_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
_DAY = 24 * 3600


def page_of(service: Service) -> gr.Blocks:
    """Lay out the page of a service."""
    with gr.Blocks(title=f"remogpt: {service.name}", analytics_enabled=False, delete_cache=(600, _DAY)) as page:
        gr.HTML(
            f'<header class="rg-head"><h1>remogpt</h1><p>Motions for captions, captions for motions, with retrieved '
            f'examples.</p>{PLAYER_LEGEND}</header><div id="rg-live" role="status"></div>'
        )
        with gr.Tabs():
            with gr.Tab("Generate", id="generate"):
                dropdowns = [generate_tab(service)]
            with gr.Tab("Caption", id="caption"):
                caption_tab(service)
            with gr.Tab("Search", id="search") as search:
                dropdowns.append(search_tab(service))
            with gr.Tab("Databases", id="databases") as databases:
                dropdowns += databases_tab(service)
            gallery, of_gallery = gallery_tab(service)
        dropdowns.append(of_gallery)

        def names(request: gr.Request) -> list[Any]:
            choices = database_choices(service, owner(request))
            return [gr.update(choices=choices) for _ in dropdowns]

        for event in (page.load, search.select, databases.select, gallery.select):
            event(names, outputs=dropdowns, show_progress="hidden", api_visibility="private")
    return page


def add_page(app: FastAPI, service: Service) -> FastAPI:
    """Put the page at / of an application."""
    folder = service.settings.work / PAGE_FILES
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)  # where dropped files go
    page = page_of(service)
    page.queue(default_concurrency_limit=None, max_size=service.settings.max_waiting, api_open=False)
    script = PLAYER_SCRIPT + Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    narrow = f"<style>{PLAYER_STYLE}</style>"  # gradio drops @container rules of `css`, and outdoes others of `head`
    style = PLAYER_STYLE + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    mounted: FastAPI = gr.mount_gradio_app(
        app, page, path="/", show_error=False, max_file_size=service.settings.max_upload, footer_links=[],
        theme=_theme(), css=style, head=f"{narrow}<script>{script}</script>", ssr_mode=False, enable_monitoring=False,
        run_history=False,
    )  # fmt: skip
    return mounted


def _theme() -> gr.themes.Base:
    """Return gradio's soft theme with text that can be read on its background, at least 4.5 to 1 (WCAG 1.4.3)."""
    theme: gr.themes.Base = gr.themes.Soft(font=_FONTS, font_mono=["ui-monospace", "DejaVu Sans Mono", "monospace"])
    return theme.set(
        color_accent="*primary_600", body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300", block_title_text_color="*primary_700",
        block_label_text_color="*primary_700", button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700", button_primary_background_fill_hover_dark="*primary_700",
        checkbox_label_background_fill_selected="*primary_600", link_text_color_dark="*secondary_300",
        link_text_color_visited_dark="*secondary_300", link_text_color_hover_dark="*secondary_200",
    )  # fmt: skip
