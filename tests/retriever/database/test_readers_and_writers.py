"""Two processes read a database while a third builds it anew: each reading is whole, of one version or the other."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.retriever import MotionDatabase

READER = """
import json, sys
from pathlib import Path
import numpy as np
from remogpt.retriever.database.database import MotionDatabase

folder, asked = Path(sys.argv[1]), np.load(sys.argv[2])
seen = {}
while not (folder / "stop").exists():
    database = MotionDatabase.open(folder)
    hits = database.search_embedding(asked, "t2m", 50)
    database.verify()
    found = [[hit.id, hit.caption, hit.codes.tolist()] for hit in hits]
    assert seen.setdefault(database.hash, found) == found
    (folder / f"seen by {sys.argv[3]}").touch()
print(json.dumps(seen))
"""


def expected(database: MotionDatabase, asked: np.ndarray) -> list[list[object]]:
    return [[hit.id, hit.caption, hit.codes.tolist()] for hit in database.search_embedding(asked, "t2m", 50)]


def test_two_processes_read_while_a_third_builds(entries: Any, retriever: Any, tokenizer: Any, tmp_path: Path) -> None:
    database = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "db", facts=False)
    live, asked = tmp_path / "live", np.asarray(database.motion_embeddings[3])
    halves = [list(range(0, 30)), list(range(10, len(database)))]
    right = {}
    for rows in halves:
        one = database.select(rows, live)
        right[one.hash] = json.loads(json.dumps(expected(one, asked)))
    np.save(tmp_path / "asked.npy", asked)
    words = [sys.executable, "-c", READER, str(live), str(tmp_path / "asked.npy")]
    readers = [subprocess.Popen([*words, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for name in "ab"]
    begin, builds = time.monotonic(), 0
    while builds < 20 or (len(list(live.glob("seen by *"))) < 2 and time.monotonic() - begin < 60):
        database.select(halves[builds % 2], live)
        builds += 1
    (live / "stop").touch()
    told = [reader.communicate(timeout=60) for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0], told
    for out, _ in told:
        seen = json.loads(out)
        assert seen and all(right[version] == found for version, found in seen.items())
