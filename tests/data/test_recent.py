"""The arrays that were read last."""

import numpy as np

from remogpt.data.recent import RecentArrays


def test_what_was_asked_for_longest_ago_is_dropped_first() -> None:
    recent, loaded = RecentArrays(max_bytes=2 * 8 * 10), []

    def get(number: int, size: int = 10) -> np.ndarray:
        return recent.get(number, lambda: loaded.append(number) or np.full(size, float(number)))

    for number in (0, 1, 0, 2, 0, 1):  # 2 takes the room of 1, and 1 that of 2
        assert get(number).tolist() == [number] * 10
    assert loaded == [0, 1, 2, 1]
    assert len(get(3, size=30)) == 30 and recent.num_bytes == 2 * 8 * 10, "too large to keep, and nothing makes room"
    get(0)
    assert loaded == [0, 1, 2, 1, 3]


def test_who_changes_an_array_changes_his_own() -> None:
    recent = RecentArrays(max_bytes=1000)
    for _ in range(3):
        array = recent.get("zeros", lambda: np.zeros(3))
        assert not array.any()
        array += 1
