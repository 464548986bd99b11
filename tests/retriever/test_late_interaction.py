"""MaxSim, reranking, and a retriever with vectors of words and parts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import remogpt
from remogpt.retriever.late_interaction import max_sim, max_sim_blocks, paired_max_sim, rerank, stretch_means
from remogpt.retriever.pl_tmr import PLTMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.untrained import new_retriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json

SMALL = PLTMRConfig(
    part_width=16, num_layers=1, num_heads=2, feedforward=32, dropout=0.0, projection_dim=16, patch=4, head_dropout=0.0,
    max_frames=48, text_width=32, text_layers=1, text_heads=2, text_feedforward=64,
)  # fmt: skip
LATE = replace(SMALL, late_width=8, late_stretches=2)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def toy(config: PLTMRConfig, text_model: Path) -> TextMotionRetriever:
    torch.manual_seed(0)
    return new_retriever(config, str(text_model), False, np.zeros(263), np.ones(263))


def motions(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, 263)).astype(np.float32) for length in lengths]


def test_known_answers() -> None:
    axes = torch.eye(2)[None]
    first = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    everything = torch.ones(1, 2, dtype=torch.bool)
    only_first = torch.tensor([[True, False]])
    assert max_sim(axes, everything, axes, everything).item() == 1.0
    assert max_sim(axes, everything, first, only_first).item() == 0.5
    assert max_sim(axes, only_first, first, only_first).item() == 1.0


def test_max_sim_is_the_slow_sum() -> None:
    words, parts = unit(3, 5, 4), unit(2, 6, 4, seed=1)
    word_mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3, [True] * 4 + [False]])
    part_mask = torch.tensor([[True] * 6, [True, False] * 3])
    found = max_sim(words, word_mask, parts, part_mask)
    for a in range(3):
        for m in range(2):
            own = [max(float(w @ p) for p in parts[m][part_mask[m]]) for w in words[a][word_mask[a]]]
            assert found[a, m].item() == pytest.approx(sum(own) / len(own), abs=1e-6)
    paired = paired_max_sim(words[:2], word_mask[:2], parts, part_mask)
    torch.testing.assert_close(paired, found[:2].diagonal())


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    words, parts = unit(7, 5, 4), unit(3, 6, 4, seed=1)
    masks = torch.ones(7, 5, dtype=torch.bool), torch.ones(3, 6, dtype=torch.bool)
    whole = max_sim(words, masks[0], parts, masks[1])
    monkeypatch.setattr("remogpt.retriever.late_interaction.BLOCK", 200)
    torch.testing.assert_close(max_sim_blocks(words, masks[0], parts, masks[1]), whole)
    assert max_sim_blocks(words[:0], masks[0][:0], parts, masks[1]).shape == (0, 3)


def test_stretches_of_time() -> None:
    states = torch.arange(6.0).reshape(1, 6, 1).repeat(3, 1, 1)
    means, real = stretch_means(states, torch.tensor([6, 3, 1]), 3)
    assert means[0, :, 0].tolist() == [0.5, 2.5, 4.5] and means[1, :, 0].tolist() == [0.0, 1.0, 2.0]
    assert real.tolist() == [[True] * 3, [True] * 3, [True, False, False]]
    assert stretch_means(states, torch.tensor([6, 3, 1]), 0)[0].shape == (3, 0, 1)


def test_rerank_reorders_the_best_and_leaves_the_rest_behind() -> None:
    dense = np.array([[0.9, 0.8, 0.1, 0.2], [0.0, -0.5, 0.5, -1.0]])
    late = np.array([[0.2, 0.6, 1.0, 0.9], [1.0, 1.0, 0.0, 1.0]])
    found = rerank(dense, late, 2, 0.5)
    assert (-found).argsort(axis=1).tolist() == [[1, 0, 3, 2], [0, 2, 1, 3]]
    assert found[0, :2].tolist() == pytest.approx([0.55, 0.7])
    assert (-rerank(dense, late, 99, 0.0)).argsort().tolist() == (-dense).argsort().tolist()
    assert (-rerank(dense, late, 4, 1.0)).argsort()[0, :2].tolist() == [2, 3]
    with pytest.raises(RemogptError, match="two matrices of one shape"):
        rerank(dense, late[:1], 2, 0.5)
    with pytest.raises(RemogptError, match="at least 1 entry"):
        rerank(dense, late, 0, 0.5)


def test_a_retriever_with_late_vectors_is_saved_and_loaded(tiny_text_model: Path, tmp_path: Path) -> None:
    retriever = toy(LATE, tiny_text_model)
    retriever.save_pretrained(tmp_path)
    loaded = TextMotionRetriever.from_pretrained(tmp_path)
    texts, clips = ["a person walks", "a man waves the left"], motions(40, 17, 100)
    words, word_mask = loaded.encode_words(texts)
    parts, part_mask = loaded.encode_tokens(clips)
    assert words.shape == (2, 5, 8) and word_mask.sum(axis=1).tolist() == [3, 5]
    # Six parts of three vectors; the last motion is longer than max_frames and has those of three windows.
    assert parts.shape == (3, 54, 8) and part_mask.sum(axis=1).tolist() == [18, 18, 54]
    assert np.allclose(np.linalg.norm(words[word_mask], axis=-1), 1, atol=1e-5)
    late = loaded.late_similarity(texts, clips)
    assert late.shape == (2, 3) and np.array_equal(late, retriever.late_similarity(texts, clips))
    alone = loaded.late_similarity(texts[:1], clips[1:2])  # padding changes nothing
    assert alone[0, 0] == pytest.approx(late[0, 1], abs=1e-5)


def test_ranking_uses_what_was_chosen(tiny_text_model: Path) -> None:
    retriever = toy(LATE, tiny_text_model)
    texts, clips = ["a person walks", "a man waves"], motions(40, 24, 30)
    dense = retriever.encode_text(texts) @ retriever.encode_motion(clips).T
    there, back = retriever.ranking_similarity(texts, clips)
    assert np.array_equal(there, dense) and np.array_equal(back, dense.T)
    retriever.config["rerank"] = {"k": 2, "weight": 0.3}
    there, back = retriever.ranking_similarity(texts, clips)
    late = retriever.late_similarity(texts, clips)
    assert np.array_equal(there, rerank(dense, late, 2, 0.3)) and np.array_equal(back, rerank(dense.T, late.T, 2, 0.3))


def test_without_late_interaction_nothing_changes(tiny_text_model: Path, tmp_path: Path) -> None:
    plain, late = toy(SMALL, tiny_text_model), toy(LATE, tiny_text_model)
    assert not [name for name in plain.network.state_dict() if "late" in name]
    assert not [name for name in plain.config["model"] if "late" in name]
    added = set(late.network.state_dict()) - set(plain.network.state_dict())
    assert added and all(name.startswith("late.") for name in added)
    with pytest.raises(RemogptError, match="no vectors of words and parts"):
        plain.encode_words(["a person walks"])
    with pytest.raises(RemogptError, match="stretches need a width"):
        replace(SMALL, late_stretches=2)


def test_the_shipped_retriever_keeps_its_hash(tmp_path: Path) -> None:
    folder = Path(remogpt.__file__).parent / "models" / "mini" / "retriever"
    shipped = TextMotionRetriever.from_pretrained(folder)
    assert shipped.hash == read_json(folder / "config.json")["hash"]
    assert shipped.save_pretrained(tmp_path, torch.float16) == shipped.hash
    rebuilt = PLTMRConfig(**shipped.config["model"]).to_settings()
    assert rebuilt == shipped.config["model"]
