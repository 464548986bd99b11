"""Generation: only what is allowed, exactly as long as asked, and the same again with the same seed."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from remogpt.lm import DecodeOptions, MotionLanguageModel, Sampling, requests_for
from remogpt.lm.decoding.generate import guided
from remogpt.prompts import motion_to_text_prompt, text_to_motion_prompt
from remogpt.runtime.errors import RemogptError

CAPTIONS = ["a person walks", "someone waves with the left hand and then jumps three times", "a man", "kick"]
GREEDY = Sampling(temperature=0.0)


@pytest.fixture
def prompts(model: MotionLanguageModel) -> list:
    return [text_to_motion_prompt(caption, count=model.vocabulary.count) for caption in CAPTIONS]


def test_motions_hold_only_codes(model: MotionLanguageModel, prompts: list) -> None:
    for codes in model.generate_codes(requests_for(prompts * 8), DecodeOptions(seed=1, max_length=20)):
        assert codes.dtype == np.int64 and 1 <= len(codes) <= 20
        assert codes.min() >= 0 and codes.max() < 32


def test_captions_hold_only_text(model: MotionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    decode = model.vocabulary.decode_text
    monkeypatch.setattr(model.vocabulary, "decode_text", lambda ids: (seen.extend(ids), decode(ids))[1])
    model.generate_text(
        requests_for([motion_to_text_prompt([1, 2, 3])] * 6), DecodeOptions(Sampling(), seed=0, max_length=30)
    )
    assert seen and set(seen) <= set(model.vocabulary.text_ids.tolist())


def test_forced_lengths(model: MotionLanguageModel, prompts: list) -> None:
    lengths = [1, 49, 7, 12]
    assert [
        len(codes) for codes in model.generate_codes(requests_for(prompts, length=lengths), DecodeOptions(seed=3))
    ] == lengths
    assert [
        len(codes) for codes in model.generate_codes(requests_for(prompts, length=lengths), DecodeOptions(GREEDY))
    ] == lengths
    mixed = model.generate_codes(requests_for(prompts, length=[5, None, None, 60]), DecodeOptions(seed=3, max_length=9))
    assert len(mixed[0]) == 5 and len(mixed[1]) <= 9 and len(mixed[2]) <= 9 and len(mixed[3]) == 60
    with pytest.raises(RemogptError, match="a length of at least 1 code, got 0"):
        model.generate_codes(requests_for(prompts, length=[0, 1, 1, 1]))


def test_same_seed_same_motion(model: MotionLanguageModel, prompts: list) -> None:
    first, again, other = (
        model.generate_codes(requests_for(prompts, length=[20] * 4), DecodeOptions(seed=seed)) for seed in (5, 5, 6)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    same_prompt = model.generate_codes(requests_for(prompts[:1] * 2, length=[20] * 2), DecodeOptions(seed=5))
    assert not np.array_equal(*same_prompt)


def test_a_row_does_not_depend_on_its_batch(model: MotionLanguageModel, prompts: list) -> None:
    together = model.generate_codes(requests_for(prompts), DecodeOptions(GREEDY, max_length=20))
    alone = [
        model.generate_codes(requests_for([prompt]), DecodeOptions(GREEDY, max_length=20))[0] for prompt in prompts
    ]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))
    sampled = model.generate_codes(requests_for(prompts), DecodeOptions(seed=2, max_length=20))
    in_pairs = model.generate_codes(requests_for(prompts), DecodeOptions(seed=2, max_length=20, batch_size=2))
    assert all(np.array_equal(a, b) for a, b in zip(sampled, in_pairs, strict=True))


def test_greedy_equals_the_full_forward_pass(model: MotionLanguageModel, prompts: list) -> None:
    words = model.vocabulary
    ids = torch.tensor([words.encode_prompt(prompts[0])])
    allowed = torch.tensor(words.code_ids)
    decoded = [words.pad_id, words.motion_start_id]
    with torch.no_grad():
        for _ in range(12):
            logits = model.t5(input_ids=ids, decoder_input_ids=torch.tensor([decoded])).logits[0, -1]
            decoded.append(int(allowed[logits[allowed].argmax()]))
    ours = model.generate_codes(requests_for(prompts[:1], length=[12]), DecodeOptions(GREEDY))[0]
    assert ours.tolist() == [token - words.motion_offset for token in decoded[2:]]


def test_going_on_from_codes_equals_writing_them(model: MotionLanguageModel, prompts: list) -> None:
    """Greedy, what is begun with is what would have been written; lengths of it may differ within a batch."""
    whole = model.generate_codes(requests_for(prompts, length=[20] * 4), DecodeOptions(GREEDY))
    begun = [codes[:count] for codes, count in zip(whole, (0, 5, 12, 5), strict=True)]
    lengths = [20 - len(codes) for codes in begun]
    rest = model.generate_codes(requests_for(prompts, length=lengths, begun=begun), DecodeOptions(GREEDY))
    assert all(np.array_equal(np.concatenate(pair), codes) for *pair, codes in zip(begun, rest, whole, strict=True))
    other = [(codes + 1) % 32 for codes in begun]
    assert not all(
        map(
            np.array_equal,
            rest,
            model.generate_codes(requests_for(prompts, length=lengths, begun=other), DecodeOptions(GREEDY)),
        )
    )
    with pytest.raises(RemogptError, match="code 32 is not in"):
        model.generate_codes(requests_for(prompts[:1], length=[3], begun=[np.array([32])]))


def test_streams_name_the_random_numbers(model: MotionLanguageModel, prompts: list) -> None:
    by_row = model.generate_codes(requests_for(prompts[:1] * 3, length=[15] * 3), DecodeOptions(seed=5))
    named = model.generate_codes(
        requests_for(prompts[:1] * 3, length=[15] * 3, stream=[[2], [0, 1], [0]]), DecodeOptions(seed=5)
    )
    assert np.array_equal(named[0], by_row[2]) and np.array_equal(named[2], by_row[0])
    assert not any(np.array_equal(named[1], codes) for codes in by_row)


def test_sampling_follows_the_probabilities() -> None:
    logits = torch.log(torch.tensor([[0.1, 0.6, 0.3]])).repeat(2000, 1)
    draws = torch.rand(2000, generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(Sampling().choose(logits, draws), minlength=3) / 2000
    assert torch.allclose(counts, torch.tensor([0.1, 0.6, 0.3]), atol=0.04)
    assert set(Sampling(top_k=2).choose(logits, draws).tolist()) == {1, 2}
    assert set(Sampling(top_p=0.55).choose(logits, draws).tolist()) == {1}
    assert set(Sampling(top_p=0.7).choose(logits, draws).tolist()) == {1, 2}
    cold = torch.bincount(Sampling(temperature=0.3).choose(logits, draws), minlength=3) / 2000
    assert cold[1] > 0.85
    forbidden = torch.tensor([[0.0, -torch.inf, 0.0]])
    assert {int(Sampling().choose(forbidden, torch.tensor([x]))) for x in (0.0, 0.4, 0.6, 0.9999999)} == {0, 2}
    with pytest.raises(RemogptError, match="top_p"):
        Sampling(top_p=0.0)


def test_top_p_keeps_no_id_beyond_those_that_reach_it() -> None:
    """Four ids of one quarter each: two of them reach one half, and a third is one too many."""
    draws = torch.linspace(0, 0.9999, 200)
    kept = {
        top_p: set(Sampling(top_p=top_p).choose(torch.zeros(200, 4), draws).tolist()) for top_p in (0.25, 0.5, 0.51, 1)
    }
    assert kept == {0.25: {0}, 0.5: {0, 1}, 0.51: {0, 1, 2}, 1: {0, 1, 2, 3}}


def test_a_mixer_adds_evidence(model: MotionLanguageModel, prompts: list) -> None:
    """It is told whose logits they are and what each has written; what it adds decides."""
    steps: list[np.ndarray] = []

    def favour(rows: np.ndarray, written: Sequence[list[int]], logits: Tensor) -> Tensor:
        steps.append(rows)
        assert logits.shape == (len(rows), 33)
        assert all(len(written[row]) == len(steps) - 1 for row in rows)
        assert logits[:, -1].isinf().all()  # every length is forced: no row may end
        wanted = torch.tensor([(row + len(written[row])) % 32 for row in rows.tolist()])
        return logits + 1e4 * torch.nn.functional.one_hot(wanted, 33)

    codes = model.generate_codes(requests_for(prompts, length=[3, 2, 4, 3]), DecodeOptions(GREEDY), mixer=favour)
    assert [row.tolist() for row in codes] == [[0, 1, 2], [1, 2], [2, 3, 4, 5], [3, 4, 5]]
    assert [sorted(rows.tolist()) for rows in steps] == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 2, 3], [2]]
    text = model.generate_text(
        requests_for([motion_to_text_prompt([1, 2])]), DecodeOptions(max_length=4), mixer=lambda *given: given[2]
    )
    assert text == model.generate_text(requests_for([motion_to_text_prompt([1, 2])]), DecodeOptions(max_length=4))


def test_rows_of_one_prompt_share_it(model: MotionLanguageModel, prompts: list) -> None:
    """Rows of a few prompts, unevenly many of each and in any order, write what each would write alone."""
    names = [0, 1, 0, 2, 0, 3, 1, 0]
    rows = [prompts[name] for name in names]
    streams = [[number] for number in range(len(rows))]
    together = model.generate_codes(requests_for(rows, stream=streams), DecodeOptions(seed=8, max_length=60))
    alone = [
        model.generate_codes(requests_for([prompt], stream=[stream]), DecodeOptions(seed=8, max_length=60))[0]
        for prompt, stream in zip(rows, streams, strict=True)
    ]
    assert len({len(codes) for codes in together}) > 2  # rows end in between, and prompts with them
    assert all(map(np.array_equal, together, alone))


def test_guidance(model: MotionLanguageModel, prompts: list) -> None:
    """Weight 0 gives the plain prompt's codes, 1 the whole one's, and between and beyond is what the formula says."""
    plain, lengths = prompts[::-1], [9, 4, 12, 7]
    whole, other = (
        model.generate_codes(requests_for(asked, length=lengths), DecodeOptions(seed=2)) for asked in (prompts, plain)
    )
    at_one = model.generate_codes(
        requests_for(prompts, length=lengths, plain=plain), DecodeOptions(seed=2, guidance=1.0)
    )
    at_zero = model.generate_codes(
        requests_for(prompts, length=lengths, plain=plain), DecodeOptions(seed=2, guidance=0.0)
    )
    assert all(map(np.array_equal, at_one, whole)) and all(map(np.array_equal, at_zero, other))
    with pytest.raises(RemogptError, match="a plain prompt for each of 4 prompts, 4 have none"):
        model.generate_codes(requests_for(prompts, length=lengths), DecodeOptions(guidance=2.0))

    seen: dict[float, Tensor] = {}
    for weight in (0.0, 1.0, 2.5):

        def look(rows: np.ndarray, _written: Sequence[list[int]], logits: Tensor) -> Tensor:
            order = torch.as_tensor(np.argsort(rows))
            seen.setdefault(weight, logits[order][:, :-1].log_softmax(1))  # noqa: B023
            return logits

        model.generate_codes(
            requests_for(prompts, length=[1] * 4, plain=plain), DecodeOptions(guidance=weight), mixer=look
        )
    contrast = (seen[0.0] + 2.5 * (seen[1.0] - seen[0.0])).log_softmax(1)
    assert torch.allclose(seen[2.5], contrast, atol=1e-5)


def test_the_end_is_not_guided() -> None:
    """The end keeps the whole prompt's probability, and the contrast of the others has the rest."""
    whole, plain = torch.randn(2, 5, 9, generator=torch.Generator().manual_seed(0))
    for weight in (0.0, 1.0, 3.0):
        chances = guided(whole, plain, weight).exp()
        assert torch.allclose(chances.sum(1), torch.ones(5))
        assert torch.allclose(chances[:, -1], whole.softmax(1)[:, -1])
        contrast = (plain + weight * (whole - plain))[:, :-1].softmax(1)
        assert torch.allclose(chances[:, :-1] / chances[:, :-1].sum(1, keepdim=True), contrast, atol=1e-6)
    assert torch.allclose(guided(whole, plain, 1.0), whole.log_softmax(1), atol=1e-6)


def test_guided_rows_do_not_depend_on_their_batch(model: MotionLanguageModel, prompts: list) -> None:
    plain = [prompts[2]] * 4
    together = model.generate_codes(
        requests_for(prompts, plain=plain), DecodeOptions(seed=5, guidance=1.7, max_length=20)
    )
    in_pairs = model.generate_codes(
        requests_for(prompts, plain=plain), DecodeOptions(seed=5, guidance=1.7, max_length=20, batch_size=2)
    )
    assert len({len(codes) for codes in together}) > 1 and all(map(np.array_equal, together, in_pairs))
    text = [motion_to_text_prompt([1, 2, 3]), motion_to_text_prompt([4, 5])]
    swapped = requests_for(text, plain=text[::-1], length=[6, 6])
    there = model.generate_text(swapped, DecodeOptions(guidance=0.0))
    assert there == model.generate_text(requests_for(text, length=[6, 6]))[::-1]
