"""Fixtures that find the reference data beside the checkout, and skip with a reason where it is absent."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def _shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}: this test compares with reference data that is kept beside the checkout")
    return folder


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """Inputs and outputs of the field's reference code."""
    return _shared_folder("golden")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real motion capture and real captions."""
    return _shared_folder("data")
