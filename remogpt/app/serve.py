"""Put service and page together for `remogpt serve`."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI

from remogpt.app.service.application import create_app
from remogpt.app.service.service import Service
from remogpt.app.service.settings import MEBIBYTE, ServiceSettings
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.text import read_text


def settings_of(args: Any) -> ServiceSettings:
    """Return the settings that a command line gives.

    Raises:
        RemogptError: for a value out of range, or a file of keys that holds none.
    """
    if args.max_upload < 1 or args.timeout <= 0:
        raise RemogptError(f"--max-upload and --timeout must be above 0, got {args.max_upload} and {args.timeout:g}")
    keys = () if args.api_key_file is None else tuple(read_text(args.api_key_file).split())
    if args.api_key_file is not None and not keys:
        raise RemogptError(f"{args.api_key_file} holds no key; write one on each line")
    return ServiceSettings(
        work=Path(args.work), model=args.model, databases=tuple(args.database or ()), api_keys=keys, host=args.host,
        max_upload=args.max_upload * MEBIBYTE, timeout=args.timeout,
    )  # fmt: skip


def application(settings: ServiceSettings, *, with_page: bool = True) -> FastAPI:
    """Return the application of a service whose model begins to load.

    Raises:
        RemogptError: if the model, a database or the work folder cannot be used.
    """
    service = Service(settings)
    app = create_app(service)
    if with_page:
        from remogpt.app.page.page import add_page  # gradio takes seconds to import

        app = add_page(app, service)
    service.warm_up()  # last: both at once would only wait for each other
    return app
