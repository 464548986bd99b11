"""Find the settings file that `--config` names: a path, or the name of a file that comes with the package."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from remogpt.runtime.errors import MissingPathError

_PACKAGED = Path(__file__).resolve().parents[2] / "configs"


def settings_file(name: str) -> str:
    """Return the path of a settings file: `name` where it exists, else `remogpt/configs/<name>.yaml`.

    Raises:
        MissingPathError: if neither exists; lists packaged names near this one.
    """
    if Path(name).exists():
        return name
    files = {path.relative_to(_PACKAGED).with_suffix("").as_posix(): path for path in _PACKAGED.rglob("*.yaml")}
    if name in files:
        return str(files[name])
    near = difflib.get_close_matches(Path(name).with_suffix("").as_posix(), files, n=3, cutoff=0.5)
    near = near or sorted(packaged for packaged in files if packaged.startswith(f"{name}/"))
    hint = f"did you mean {', '.join(near)}?" if near else f"packaged names: {', '.join(sorted(files))}"
    raise MissingPathError(f"--config {name}: there is no such file, and no packaged settings of this name; {hint}")


def with_settings_files(words: Sequence[str]) -> list[str]:
    """Return a command line with each `--config` name replaced by the file's path.

    Inline settings (`--config '{width: 64}'`) are left unchanged.
    """
    found: list[str] = []
    for word in words:
        if found and found[-1] == "--config":
            word = _path_of(word)
        elif word.startswith("--config="):
            word = f"--config={_path_of(word.removeprefix('--config='))}"
        found.append(word)
    return found


def _path_of(value: str) -> str:
    return value if value.startswith(("{", "-")) else settings_file(value)
