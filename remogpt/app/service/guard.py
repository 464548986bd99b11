"""What stands before every request: its size, where it comes from, and who asks. A plain ASGI middleware."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from remogpt.app.service.problems import ServiceError, problem
from remogpt.app.service.settings import MEBIBYTE, ServiceSettings

CLIENT_HEADER = "Remogpt-Client"
"""Any secret word by which a client without a key is told from others."""
KEY_COOKIE = "remogpt_key"
"""Cookie of a browser that has shown a key."""
CLIENT_COOKIE = "remogpt_client"
"""Cookie by which a browser without a key is told from others."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_OPEN = {"/health", "/login", "/openapi.json"}
"""Paths that ask for no key."""
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""Nothing is loaded from, or sent to, another machine."""


class Guard:
    """Refuses what is too large, comes from another page, or shows no key; adds headers that keep browsers here.

    Args:
        app: the application behind it.
        settings: of the service.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_new = scope["path"] == "/" and CLIENT_COOKIE not in _cookies(headers)
        send = _with_headers(send, secrets.token_urlsafe(24) if is_new else None)
        try:
            self._check_origin(headers)
            scope.setdefault("state", {})["owner"] = self._owner(scope, headers)
            body = _Body(headers, receive, self.settings.max_upload)
        except ServiceError as error:
            is_person = error.status == 401 and "text/html" in headers.get("accept", "")
            answer: Response = RedirectResponse("/login", 303) if is_person else problem(error.status, str(error))
            await answer(scope, receive, send)
            return
        await self._answer(scope, body, send)

    async def _answer(self, scope: Scope, body: "_Body", send: Send) -> None:
        """Let the application answer; where the body turns out too large, that is the answer."""
        has_begun = False

        async def unless_too_large(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            if has_begun or body.error is None:
                has_begun = True
                await send(message)

        try:
            await self.app(scope, body.receive, unless_too_large)
        except ServiceError:
            if body.error is None:
                raise
        if body.error is not None and not has_begun:
            await problem(body.error.status, str(body.error))(scope, body.receive, send)

    def _check_origin(self, headers: Headers) -> None:
        """Refuse requests that another site's page sends through a visitor's browser, and names that lead here."""
        host = headers.get("host", "")
        name = _host_name(host)
        if self.settings.is_loopback and name not in _LOCAL:
            raise ServiceError(
                421, f"this service answers as localhost alone, not as {name[:80]!r}; start it with --host"
            )
        origin = headers.get("origin")
        if origin and origin != "null" and urlsplit(origin).netloc != host:
            raise ServiceError(403, "requests of another site's pages are not answered")
        if origin == "null" and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ServiceError(403, "requests of another site's pages are not answered")

    def _owner(self, scope: Scope, headers: Headers) -> str:
        """Return who asks, as hexadecimal digits; of a service without keys those who name themselves alike are one.

        Raises:
            ServiceError: 401 without a key where there are keys.
        """
        key = _key(headers)
        if not self.settings.api_keys:
            return owner_of(headers.get(CLIENT_HEADER) or _cookies(headers).get(CLIENT_COOKIE, ""))
        if any(secrets.compare_digest(key.encode(), one.encode()) for one in self.settings.api_keys):
            return owner_of(key)
        if scope["path"] in _OPEN:
            return ""
        raise ServiceError(
            401, "wanted an API key: send it as 'Authorization: Bearer KEY', or open /login in a browser"
        )


class _Body:
    """A request's body, whose bytes are counted, whatever its header announces.

    Raises:
        ServiceError: 413 if it announces too many.
    """

    def __init__(self, headers: Headers, receive: Receive, most: int) -> None:
        self._receive, self._most, self._size = receive, most, 0
        self.error: ServiceError | None = None
        """Why it is not read any further."""
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or len(announced) > 18 or int(announced) > most:
            raise self._too_large()

    async def receive(self) -> MutableMapping[str, Any]:
        """Receive the next piece."""
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            self.error = self._too_large()
            raise self.error
        return message

    def _too_large(self) -> ServiceError:
        return ServiceError(413, f"a request may have {self._most / MEBIBYTE:g} MiB; send less at once")


def owner_of(name: str) -> str:
    """Return the owner that a key or a client's name stands for."""
    return hashlib.sha256(b"remogpt client " + name.encode("utf-8", "replace")).hexdigest()[:32]


NOBODY = owner_of("")
"""Owner of what a client asks for that shows no key and no name: it finds its jobs by their ids alone."""


def _key(headers: Headers) -> str:
    scheme, _, word = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and word:
        return word.strip()
    return headers.get("x-api-key") or _cookies(headers).get(KEY_COOKIE, "")


def _cookies(headers: Headers) -> dict[str, str]:
    return cookie_parser(headers.get("cookie", ""))


def _host_name(host: str) -> str:
    """Return a Host header's name without its port: `[::1]:8000` is ::1."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _with_headers(send: Send, client: str | None) -> Callable[[MutableMapping[str, Any]], Awaitable[None]]:
    """Add headers to an answer; `client` names a browser that comes for the first time."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", _POLICY)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
            headers.setdefault("X-Frame-Options", "SAMEORIGIN")
            if client is not None:
                headers.append("Set-Cookie", f"{CLIENT_COOKIE}={client}; Path=/; HttpOnly; SameSite=Strict")
        await send(message)

    return sending
