"""What examples add to the logits, where a motion is written and where a caption is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from remogpt.lm import Vocabulary
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.logit_mixers import CodeMixer, ExampleMixer, Following, WordMixer
from remogpt.retriever import RetrievedExample

NUM_CODES = 12
IDS = np.arange(NUM_CODES) + 100


def example(codes: list[int] | None = None, caption: str = "", cosines: float = 0.9) -> RetrievedExample:
    return RetrievedExample("a", caption, np.array(codes or [0]), cosines, "t2m", cosines, cosines)


def mixer(head: CopyHead, *examples: RetrievedExample, length: int | None = None, strength: float = 2.0) -> CodeMixer:
    return CodeMixer(head, [examples], [length], IDS, strength)


def write(mix: CodeMixer, logits: torch.Tensor, steps: int) -> list[int]:
    """Write the best id each time; ends with column C."""
    written: list[list[int]] = [[]]
    for _ in range(steps):
        mixed = mix(np.array([0]), written, logits)
        column = int(mixed[0].argmax())
        if column == NUM_CODES:
            break
        written[0].append(int(IDS[column]))
    return [token - 100 for token in written[0]]


def test_an_example_is_written_again_where_the_model_has_no_opinion_and_ends_where_it_ends(head: CopyHead) -> None:
    codes = np.array([3, 1, 4, 5, 9, 2, 6])
    assert write(mixer(head, example(codes.tolist())), torch.zeros(1, NUM_CODES + 1), 20) == codes.tolist()


def test_what_the_model_finds_absurd_is_not_copied(head: CopyHead) -> None:
    logits = torch.zeros(1, NUM_CODES + 1)
    logits[0, 4] = -60.0
    assert 4 not in write(mixer(head, example([3, 1, 4, 5])), logits, 4)


def test_an_example_is_followed_by_its_weight(head: CopyHead) -> None:
    logits = torch.randn(1, NUM_CODES + 1, generator=torch.Generator().manual_seed(0))
    plain = example([3, 1, 4])
    twice = mixer(head, replace(plain, weight=2.0), strength=1.5)(np.array([0]), [[]], logits)
    assert torch.allclose(twice, mixer(head, plain, strength=3.0)(np.array([0]), [[]], logits))
    assert not torch.allclose(twice, mixer(head, plain, strength=1.5)(np.array([0]), [[]], logits))


def test_what_is_forbidden_stays_so(head: CopyHead) -> None:
    logits = torch.zeros(1, NUM_CODES + 1)
    logits[0, [4, NUM_CODES]] = -torch.inf
    mixed = mixer(head, example([4, 4, 4]))(np.array([0]), [[]], logits)
    assert torch.isneginf(mixed[0, [4, NUM_CODES]]).all() and torch.isfinite(mixed[0, :4]).all()
    assert torch.logsumexp(mixed, 1).item() == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("how", ["none", "no strength", "no answer"])
def test_without_an_example_that_answers_the_scores_say_what_they_said(head: CopyHead, how: str) -> None:
    examples = {"none": (), "no strength": (example([1, 2]),),
                "no answer": (example([1, 2], cosines=-1.0),)}[how]  # fmt: skip
    logits = torch.randn(1, NUM_CODES + 1, generator=torch.Generator().manual_seed(0))
    mix = mixer(head, *examples, strength=0.0 if how == "no strength" else 2.0)
    mixed = mix(np.array([0]), [[]], logits)
    assert torch.allclose(mixed.log_softmax(1), logits.log_softmax(1), atol=0.02)


def test_a_right_example_prevails_over_a_wrong_one(head: CopyHead) -> None:
    right, wrong = example([3, 1, 4]), example([7, 8, 9], cosines=-1.0)
    assert write(mixer(head, wrong, right), torch.zeros(1, NUM_CODES + 1), 9) == [3, 1, 4]


def test_a_row_does_not_depend_on_its_neighbours(head: CopyHead) -> None:
    """Prompts with different numbers of examples, in any order, some of them finished."""
    many = [(example([3, 1, 4]), example([5, 9, 2, 6])), (), (example([7, 8]),)]
    joined, written = CodeMixer(head, many, [None, 4, 5], IDS, 1.0), [[], [], []]
    alone = [CodeMixer(head, [own], [length], IDS, 1.0) for own, length in zip(many, [None, 4, 5], strict=True)]
    logits = torch.randn(3, NUM_CODES + 1, generator=torch.Generator().manual_seed(1))
    for step, order in enumerate(([0, 1, 2], [2, 0, 1], [2, 0])):
        mixed = joined(np.array(order), written, logits[order])
        for index, row in enumerate(order):
            own = alone[row](np.array([0]), [written[row]], logits[row : row + 1])
            assert torch.allclose(mixed[index].log_softmax(0), own[0].log_softmax(0), atol=1e-5)
        for row in order:
            written[row].append(100 + (row + step) % NUM_CODES)


def caption(
    vocabulary: Vocabulary, mix: ExampleMixer | None, liked: str = "", absurd: str = "", steps: int = 30
) -> str:
    """Write the best id each time for a model that has no opinion but on the words of `liked` and `absurd`."""
    columns = {int(token): column for column, token in enumerate(vocabulary.text_ids)}
    logits = torch.zeros(1, len(columns) + 1)
    logits[0, [columns[token] for token in vocabulary.encode_text(liked)]] = 4.0
    logits[0, [columns[token] for token in vocabulary.encode_text(absurd)]] = -60.0
    written: list[list[int]] = [[]]
    for _ in range(steps):
        mixed = logits if mix is None else mix(np.array([0]), written, logits)
        column = int(mixed[0].argmax())
        if column == len(columns):
            break
        written[0].append(int(vocabulary.text_ids[column]))
    return vocabulary.decode_text(written[0])


def words(head: CopyHead, vocabulary: Vocabulary, *captions: str, cosines: float = 0.9) -> WordMixer:
    shown = [example(caption=one, cosines=cosines) for one in captions]
    mix = Following(head, 2.0, vocabulary).words([shown])
    assert mix is not None
    return mix


def test_a_caption_is_said_again_and_ends_where_it_ends(head: CopyHead, vocabulary: Vocabulary) -> None:
    said = "a person turns right and sits down"
    assert caption(vocabulary, words(head, vocabulary, said)) == said


def test_words_that_the_model_finds_absurd_are_not_said(head: CopyHead, vocabulary: Vocabulary) -> None:
    made = caption(vocabulary, words(head, vocabulary, "a person turns right"), absurd=" right")
    assert "right" not in made


def test_a_caption_is_followed_from_where_the_model_enters_it(head: CopyHead, vocabulary: Vocabulary) -> None:
    """The model begins with words from the middle: what follows them there follows."""
    mix = words(head, vocabulary, "a person turns right and sits down")
    begun = [list(vocabulary.encode_text("turns right and"))]
    columns = {int(token): column for column, token in enumerate(vocabulary.text_ids)}
    logits = torch.zeros(1, len(columns) + 1)
    for length in range(len(begun[0]) + 1):
        mixed = mix(np.array([0]), [begun[0][:length]], logits)
    assert int(mixed[0].argmax()) == columns[vocabulary.encode_text("sits")[0]]


def test_captions_that_do_not_answer_say_nothing(head: CopyHead, vocabulary: Vocabulary) -> None:
    logits = torch.randn(1, len(vocabulary.text_ids) + 1, generator=torch.Generator().manual_seed(0))
    for mix in (words(head, vocabulary, "a person waves", cosines=-1.0), words(head, vocabulary)):
        mixed = mix(np.array([0]), [[]], logits)
        assert torch.allclose(mixed.log_softmax(1), logits.log_softmax(1), atol=0.1)


def test_a_caption_without_any_known_word_ends_at_once_and_breaks_nothing(
    head: CopyHead, vocabulary: Vocabulary
) -> None:
    assert caption(vocabulary, words(head, vocabulary, "", "a man jumps"), liked="a man jumps").startswith("a man")


def test_captions_do_not_depend_on_their_neighbours(head: CopyHead, vocabulary: Vocabulary) -> None:
    following = Following(head, 1.0, vocabulary)
    many = [
        [example(caption="a man jumps"), example(caption="a person waves")],
        [],
        [example(caption="claps and bows")],
    ]
    joined, alone = following.words(many), [following.words([own]) for own in many]
    assert joined is not None
    text = [list(vocabulary.encode_text(said)) for said in ("a person jumps", "somebody walks", "a man claps")]
    logits = torch.randn(3, len(vocabulary.text_ids) + 1, generator=torch.Generator().manual_seed(1))
    for step, order in enumerate(([0, 1, 2], [2, 0, 1], [2, 0])):
        written = [ids[:step] for ids in text]
        mixed = joined(np.array(order), written, logits[order])
        for index, row in enumerate(order):
            mix = alone[row]
            assert mix is not None
            own = mix(np.array([0]), [written[row]], logits[row : row + 1])
            assert torch.allclose(mixed[index].log_softmax(0), own[0].log_softmax(0), atol=1e-5)


@pytest.mark.parametrize("how", ["no head", "no strength"])
def test_a_model_that_does_not_follow_shows_all_its_examples(head: CopyHead, vocabulary: Vocabulary, how: str) -> None:
    following = Following(None, 2.0, vocabulary) if how == "no head" else Following(head, 0.0, vocabulary)
    examples = [example([1]), example([2], cosines=-1.0)]
    assert following.codes([examples], [None]) is None and following.words([examples]) is None
    assert following.shown_for_text(examples) == following.shown_for_motion(examples) == examples


def test_one_that_follows_shows_those_that_answer(head: CopyHead, vocabulary: Vocabulary) -> None:
    good, bad = example([1]), example([2], cosines=-1.0)
    following = Following(head, 2.0, vocabulary)
    assert following.shown_for_text([bad, good]) == following.shown_for_motion([bad, good]) == (good,)
