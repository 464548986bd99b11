"""Formats of answers: chosen by the request's Accept header or by ?format=, written as the command line writes them."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence

from fastapi import Request, Response

from remogpt.app.service.problems import ServiceError
from remogpt.motion import Motion
from remogpt.motion.edit import edit_motion
from remogpt.motion.files.write import Layout, check_layout, motion_bytes
from remogpt.runtime.errors import RemogptError

TYPES = {
    "json": "application/json",
    "bvh": "application/x-bvh",
    "glb": "model/gltf-binary",
    "npz": "application/x-npz",
    "npy": "application/x-npy",
    "html": "text/html",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "png": "image/png",
    "csv": "text/csv",
}
"""Media type of each format."""
OF_MOTIONS = tuple(name for name in TYPES if name != "csv")
OF_CAPTIONS = ("json", "csv")
FILMS = ("gif", "mp4")
MOST_PICTURES = 2400
"""Pictures of all films of one request, two minutes at 20 a second."""
_SANDBOX = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:"
)
"""Policy of a player page: its own script runs, without reach into the service's pages."""


def chosen_format(request: Request, known: Sequence[str] = OF_MOTIONS) -> str:
    """Return the format that a request asks for; JSON where it does not say.

    Raises:
        ServiceError: 406 where there is none that the client takes.
    """
    named = request.query_params.get("format")
    if named is not None:
        if named not in known:
            raise ServiceError(406, f"format={named[:40]}: wanted one of {', '.join(known)}")
        return named
    for wanted in _by_preference(request.headers.get("accept", "*/*")):
        if wanted in ("*/*", "application/*", ""):
            return known[0]
        for name in known:
            if wanted == TYPES[name] or (wanted.endswith("/*") and TYPES[name].startswith(wanted[:-1])):
                return name
    types = ", ".join(TYPES[name] for name in known)
    raise ServiceError(406, f"Accept: wanted one of {types}")


def _by_preference(accept: str) -> Iterator[str]:
    """Yield the media types of an Accept header, the most wanted first."""
    weighted = []
    for place, one in enumerate(accept[:2000].split(",")):
        kind, _, parameters = one.partition(";")
        found = re.search(r"q=([01](?:\.\d{0,3})?)", parameters)
        quality = float(found[1]) if found else 1.0
        if quality > 0:
            weighted.append((-quality, place, kind.strip().lower()))
    yield from (kind for _, _, kind in sorted(weighted))


def motion_response(
    motions: Sequence[Motion], name: str, *, skeleton: str | None = None, fps: float | None = None
) -> Response:
    """Return one motion as a file, or several as a zip of files.

    Args:
        motions: at least one.
        name: of the format.
        skeleton: joint names of a .bvh or .glb; a name, never a file of the server.
        fps: frames a second of the file.

    Raises:
        ServiceError: 406 where the format cannot be written here, 422 for films that would take too long to draw.
    """
    _check_films(motions, name, fps)
    files = [_file(motion, name, skeleton, fps) for motion in motions]
    if len(files) == 1:
        headers = {"Content-Disposition": f'attachment; filename="motion.{name}"'}
        if name == "html":
            headers = {"Content-Security-Policy": _SANDBOX}
        return Response(files[0], media_type=TYPES[name], headers=headers)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number:04d}.{name}", file)
    headers = {"Content-Disposition": 'attachment; filename="motions.zip"'}
    return Response(content.getvalue(), media_type="application/zip", headers=headers)


def _check_films(motions: Sequence[Motion], name: str, fps: float | None) -> None:
    pictures = round(sum(motion.seconds * (fps or motion.fps) for motion in motions)) if name in FILMS else 0
    if pictures > MOST_PICTURES:
        raise ServiceError(
            422,
            f"the films would have {pictures} pictures, at most {MOST_PICTURES} are drawn for one request; "
            "ask for fewer or shorter motions, or a lower fps",
        )


def _file(motion: Motion, name: str, skeleton: str | None, fps: float | None) -> bytes:
    layout = Layout(None, skeleton, None, None)
    if skeleton is not None and skeleton.lower().endswith(".bvh"):
        raise ServiceError(
            422, f"skeleton={skeleton[:40]}: wanted the name of a skeleton; rigs are for the command line"
        )
    check_layout(f"motion.{name}", layout, fps)
    try:
        return motion_bytes(edit_motion(motion, fps=fps), f".{name}", layout)
    except RemogptError as error:
        raise ServiceError(406 if "ffmpeg" in str(error) else 422, str(error)) from error
