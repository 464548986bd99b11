"""Serve a page and an HTTP API: motions for captions, captions for motions, search, databases of one's own.

Examples:
  remogpt serve
  remogpt serve --model models/mine --database databases/dance --port 8080
  remogpt serve --host 0.0.0.0 --api-key-file keys.txt

Open http://127.0.0.1:8000/ in a browser; programs use http://127.0.0.1:8000/v1/, or remogpt.Client in Python. Only this
machine reaches it unless --host says otherwise. Jobs and databases that are built lie in --work, and are there again
after a restart. Needs: pip install "remogpt[serve]".
"""

import socket
import sys
from pathlib import Path
from typing import Any

from remogpt.runtime.errors import RemogptError

_WORK = Path.home() / ".cache" / "remogpt" / "serve"

KEEP_ALIVE = 30
"""Seconds that an idle connection stays open: longer than clients keep one (httpx, and so `remogpt.Client`: 5), as who
sends a request while the other side hangs up gets no answer."""


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("--model", type=str, default=None, help="model folder; default: the embedded 'mini'")
    parser.add_argument(
        "--database", type=str, action="append", help="database folder to offer, or NAME=FOLDER; as often as you like"
    )
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; 0.0.0.0: every one")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    parser.add_argument("--work", type=str, default=str(_WORK), help="folder of jobs, uploads and built databases")
    parser.add_argument("--api-key-file", type=str, default=None, help="file of keys, one a line, that requests show")
    parser.add_argument("--max-upload", type=int, default=64, help="MiB of one request")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds that a request waits for its answer")
    parser.add_argument("--no-page", action="store_true", help="serve the HTTP API alone")


def run(args: Any) -> int:
    """Serve until interrupted."""
    listener = _listen(args.host, args.port)
    try:
        import uvicorn

        from remogpt.app.serve import application, settings_of
    except ImportError as error:
        raise RemogptError(f'the service needs {error.name}: pip install "remogpt[serve]"') from error
    settings = settings_of(args)
    if not settings.is_loopback and not settings.api_keys:
        print(
            f"warning: whoever reaches {args.host}:{args.port} may use the service; --api-key-file asks for a key",
            file=sys.stderr,
        )
    app = application(settings, with_page=not args.no_page)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(args.host, f"[{args.host}]" if ":" in args.host else args.host)
    print(f"open http://{host}:{listener.getsockname()[1]}/ in a browser (Ctrl-C stops)", flush=True)
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=5, timeout_keep_alive=KEEP_ALIVE
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before seconds are spent on loading.

    Raises:
        RemogptError: if it is taken, or is no port of this machine.
    """
    if not 0 <= port <= 65535:
        raise RemogptError(f"--port must lie between 0 and 65535, got {port}")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = error.strerror or str(error)
        raise RemogptError(
            f"cannot listen on {host}:{port} ({why.lower()}); choose another --port or --host"
        ) from error
    return listener
