"""A form in which a browser shows its API key once; the key then lies in a cookie that no script reads."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from remogpt.app.service.guard import KEY_COOKIE

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>remogpt: API key</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 24em; margin: 15vh auto; padding: 0 20px; }
input, button { font: inherit; width: 100%; box-sizing: border-box; padding: 8px; margin-top: 8px; }
</style></head>
<body><h1>remogpt</h1><p>This service asks for an API key.</p>
<form method="post"><label>API key
<input name="key" type="password" autocomplete="current-password" autofocus required></label>
<button>Go on</button></form></body></html>
"""


def add_login(router: APIRouter) -> None:
    """Add the form."""

    @router.get("/login", include_in_schema=False)
    async def ask() -> Response:
        return HTMLResponse(_PAGE)

    @router.post("/login", include_in_schema=False)
    async def remember(request: Request, key: Annotated[str, Form(max_length=500, pattern=r"^[!-~]+$")]) -> Response:
        """Keep the key; the guard checks it with every request."""
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            KEY_COOKIE, key.strip(), httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return response
