"""The databases that a model retrieves from, each opened once."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from remogpt.lm.writer import saved_prompt_form
from remogpt.pipeline.checks import check_database
from remogpt.prompts.forms import PromptForm, holds_examples
from remogpt.retriever import MotionDatabase, TextMotionRetriever
from remogpt.runtime.errors import MissingPathError, RemogptError

Database = str | Path | MotionDatabase | None
"""A folder, an open database, or the model's own (None)."""


class OpenDatabases:
    """Databases of one model's retriever and tokenizer; one that another retriever or tokenizer built is refused.

    Args:
        model: the model's folder.
        hashes: of the model's components.
        retriever: loads the model's retriever.
    """

    def __init__(self, model: Path, hashes: Mapping[str, str], retriever: Callable[[], TextMotionRetriever]) -> None:
        self._model, self._hashes, self._load_retriever = model, hashes, retriever
        self._opened: dict[Path, MotionDatabase] = {}

    def open(self, path: Database) -> MotionDatabase:
        """Return a database, opened at the first call.

        Raises:
            MissingPathError: if there is none.
            RemogptError: if it was built by another retriever or tokenizer, with both hashes.
        """
        if isinstance(path, MotionDatabase):
            check_database(path, self._hashes, self._model)
            return path
        folder = self._model / "database" if path is None else Path(path)
        if path is None and not folder.is_dir():
            raise MissingPathError(
                f"the model in {self._model} comes without a database; "
                "name one with --database, or answer without retrieval (--no-retrieval)"
            )
        if folder not in self._opened:
            database = MotionDatabase.open(folder)
            # Before the retriever is loaded, so that a database that does not fit is refused at once.
            check_database(database, self._hashes, self._model)
            database.retriever = self._load_retriever()
            self._opened[folder] = database
        return self._opened[folder]

    def open_for_prompts(self, path: Database) -> MotionDatabase:
        """Return a database whose examples prompts can show; errors as in `open`.

        Raises:
            RemogptError: if the prompts of the model's language model hold no examples.
        """
        if not holds_examples(self._prompt_form):
            raise RemogptError(
                f"the language model in {self._model / 'lm'} reads prompts in the form {self._prompt_form!r}, which "
                "hold no examples; answer without retrieval (--no-retrieval, in Python examples='none'), or teach it "
                "ours with 'remogpt train lm --start-from'"
            )
        return self.open(path)

    @cached_property
    def _prompt_form(self) -> PromptForm:
        return saved_prompt_form(self._model / "lm")
