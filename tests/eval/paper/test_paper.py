"""The papers' tables: each cell shows its own row's number, and rows that do not compare are told apart."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.cli import main
from remogpt.eval.paper import Filled, fill_tables, open_runs, paper_tables, write_tables
from remogpt.eval.paper.write import to_markdown
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json, write_npy

TABLES = {table.name: table for table in paper_tables()}
CARD = {"set": "HumanML3D", "num_items": 4384, "split": "test", "seed": 0, "items_sha256": "12"}


def result(scores: dict[str, Any], **card: Any) -> dict[str, Any]:
    return {"card": CARD | card, "scores": scores}


def retrieval(recall: float, network: str = "tmr", **card: Any) -> dict[str, Any]:
    scores = {"normal": {"t2m/R@1": recall, "t2m/R@1_ci95": 0.4, "t2m/MedR": 100 - recall}}
    return {"retrieval/test": result(scores | {"identical": {"t2m/R@1": recall + 2}}, retriever=network, **card)}


def generation(r1: float, diversity: float, answers: str = "retrieval", **card: Any) -> dict[str, Any]:
    scores = {"t2m/R1": {"mean": r1, "ci95": 0.003}, "diversity": {"mean": diversity, "ci95": 0.08}}
    return {f"generation/test/{answers}": result({"evaluator": scores}, **card)}


def filled(name: str, runs: dict[str, Any]) -> Filled:
    return fill_tables(runs, [TABLES[name]])[0]


def row_of(text: str, table: str, label: str) -> list[str]:
    """Cells of a row, from the Markdown of all tables."""
    section = text.split(f"## {TABLES[table].title}\n")[1].split("\n## ")[0]
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {label} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_both_papers_are_there_whole() -> None:
    paper = {"1", "2", "3", "4", "5", "6", "7a", "7b", "8"}
    assert {name.removeprefix("remogpt_") for name in TABLES if name.startswith("remogpt")} == paper
    assert {name.removeprefix("tmr_") for name in TABLES if name.startswith("tmr")} == {
        *"12345",
        "a1",
        "a2",
        "a3",
        "a4",
    }
    assert len(TABLES["remogpt_6"].rows) == 9 and len(TABLES["tmr_4"].rows) == 10
    for table in TABLES.values():
        assert len({row.label for row in table.rows}) == len(table.rows)


def test_a_number_stands_in_its_row_beside_the_published_one() -> None:
    runs = {"tmr": retrieval(5.25), "pl_tmr": retrieval(7.5, "pl_tmr")}
    text = to_markdown([filled("remogpt_1", runs), filled("tmr_1", runs)])
    assert row_of(text, "tmr_1", "TMR")[1] == "5.25 ± 0.40 (5.68)"
    assert row_of(text, "tmr_1", "TMR")[-1] == "HumanML3D, 4384 items"
    first, *_ = text.split("### a hit is the own item")  # protocol `identical`
    assert row_of(first, "remogpt_1", "TMR")[1] == "7.25 (8.92)"
    assert row_of(first, "remogpt_1", "PL-TMR (ReMoGPT)")[1] == "**9.50**"
    assert row_of(first, "remogpt_1", "MotionPatches")[1] == "(10.80)"
    assert row_of(first, "remogpt_1", "MotionPatches")[-1] == "not run"
    assert "Not run: MotionPatches; scripts/humanml3d.sh makes them." in text


def test_a_vanishing_number_has_no_sign() -> None:
    runs = {"remogpt": {"generation/test/retrieval": result({"evaluator": {"fid": {"mean": -1e-9, "ci95": 0.0}}})}}
    assert row_of(to_markdown([filled("remogpt_2", runs)]), "remogpt_2", "ReMoGPT")[4] == "0.000"


def test_best_is_what_is_nearest_to_the_real_motions_where_that_is_better() -> None:
    real, best, far = generation(0.5, 9.5, "real"), generation(0.4, 9.3), generation(0.45, 12.0, "no_retrieval")
    one = filled("remogpt_2", {"remogpt": real | best, "table6_none": far})
    cells = {line.label: line.cells for line in one.blocks[0][1]}
    assert [column.head for column in one.table.columns][0::5] == ["R@1", "Diversity"]
    best_of = {label: (row[0].is_best, row[5].is_best) for label, row in cells.items() if row[0].own is not None}
    assert best_of == {
        "Real": (False, False), "MotionGPT, retrained (no examples)": (True, False), "ReMoGPT": (False, True),
    }  # fmt: skip


def test_runs_in_each_others_rows_are_refused() -> None:
    with pytest.raises(RemogptError, match=r"row 'TMR' wants retriever tmr, but run 'tmr' was made with pl_tmr"):
        fill_tables({"tmr": retrieval(7.5, "pl_tmr"), "pl_tmr": retrieval(5.25)})
    one = generation(0.4, 9.0, routes=["t2m", "m2t"], k=1)
    with pytest.raises(
        RemogptError, match=r"wants routes .*'t2t', 'm2m'.* but run 'table6_same_1' was made with .*'t2m'"
    ):
        fill_tables({"table6_same_1": one})


def test_numbers_of_different_protocols_are_marked_and_none_is_called_best() -> None:
    one = filled("tmr_1", {"tmr": retrieval(5.0), "temos": retrieval(3.0, num_items=32, items_sha256="99")})
    assert not any(cell.is_best for _, lines in one.blocks for line in lines for cell in line.cells)
    assert one.warnings == (
        "TEMOS and TMR do not compare, their protocols differ (items_sha256: 99 / 12, num_items: 32 / 4384)",
    )


def test_swapped_databases_compare_whatever_their_differences_are_from() -> None:
    scores = {"generation": {"evaluator": {"t2m/R1": {"mean": 0.5, "ci95": 0.0}}}}
    swap = {"swap/test/own": result(scores), "swap/test/motionx": result(scores, against={"database": "own"})}
    one = filled("remogpt_7a", {"swap": swap})
    assert [line.cells[0].is_best for line in one.blocks[0][1] if line.run] == [True, True] and not one.warnings


@pytest.mark.parametrize(("name", "kind"), [("rehearsal-humanml3d", "a rehearsal"), ("bandai", "another set")])
def test_another_set_says_so(name: str, kind: str) -> None:
    one = filled("tmr_1", {"tmr": retrieval(5.0, set=name)})
    assert one.warnings == (f"{name} is {kind}, not HumanML3D: compare none of its numbers with published ones",)


def test_other_methods_get_rows_of_their_own_on_their_set() -> None:
    runs = {"MDM": generation(0.32, 9.6, "files"), "far": generation(0.1, 5.0, "files", set="Bandai")}
    one = fill_tables({"MDM": runs["MDM"]}, [TABLES["remogpt_2"], TABLES["remogpt_3"]])
    assert [line.label for line in one[0].blocks[0][1] if line.run] == ["MDM"]
    assert not [line for line in one[1].blocks[0][1] if line.run]
    with pytest.raises(RemogptError, match="run 'far' fills no row of any table"):
        fill_tables({"far": runs["far"]})


def test_a_misspelt_run_is_told_the_row_that_was_meant() -> None:
    with pytest.raises(RemogptError, match="did you mean 'pl_tmr'"):
        fill_tables({"pl-tmr": {}})


def test_the_command_writes_three_forms_of_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, results in {"tmr": retrieval(5.25), "table6_none": generation(0.25, 9.0, "no_retrieval")}.items():
        write_json(tmp_path / "eval" / name / "results.json", {"format": 2, "results": results})
    assert main(["eval", "tables", str(tmp_path / "eval"), "--out", str(tmp_path / "tables")]) == 0
    told = capsys.readouterr().out
    assert "TMR, Table 1: retrieval on HumanML3D: 1 of 3 rows" in told
    text, page = ((tmp_path / "tables" / f"tables.{kind}").read_text(encoding="utf-8") for kind in ("md", "html"))
    assert row_of(text, "tmr_1", "TMR")[1] == "5.25 ± 0.40 (5.68)"
    assert '5.25<span class="ci"> ± 0.40</span> <span class="published">(5.68)</span>' in page
    with (tmp_path / "tables" / "tmr_1.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["run"] == "tmr" and row["protocol"] == "normal"]
    assert [(row["t2m R@1"], row["t2m R@1 ±"], row["t2m R@1 published"]) for row in rows] == [("5.25", "0.4", "5.68")]
    assert len(list((tmp_path / "tables").glob("*.csv"))) == len(TABLES)


def test_figures_show_the_same_prompts_by_every_method(tmp_path: Path) -> None:
    ids = [f"{at:06d}" for at in range(12)]
    r1 = {"evaluator": {"t2m/R1": {"mean": 0.5, "ci95": 0.0}}}
    references = ["a man walks", ["he/PRON", "go/VERB"]]
    for name, answers, examples in (("remogpt", "retrieval", ["000777"]), ("table6_none", "no_retrieval", [])):
        folder = tmp_path / "eval" / name
        written = [
            {"id": one, "caption": f"walks {one}", "examples": examples, "example_captions": ["a <man> crawls"]}
            for one in ids[: 12 - len(examples)]
        ]
        said = [{"id": one, "caption": f"{name} <says> {one}", "references": references} for one in ids]
        results = {
            f"generation/test/{answers}": result(r1 | {"items": written}),
            f"captioning/test/{answers}": result(r1 | {"items": said}),
        }
        write_json(folder / "results.json", {"format": 2, "results": results})
        for one in ids[:6]:
            for kept in (
                f"motions/test/{answers}/{one}",
                f"shown/test/generation/{answers}_examples/{one}_1",
                f"shown/test/real/{one}",
            ):
                write_npy(folder / f"{kept}.npy", np.zeros((40, 263), np.float32))
    assert main(["eval", "tables", str(tmp_path / "eval"), "--out", str(tmp_path / "out")]) == 0
    motions, captions = (tmp_path / "out" / "figures.html").read_text(encoding="utf-8").split("Figure 7")
    assert motions.count("<article>") == captions.count("<article>") == 8
    assert "walks 000011" not in motions, "one of the methods did not answer it"
    assert motions.count("from 000777: a &lt;man&gt; crawls") == 8
    kept = sum(f"<h4>walks {one}</h4>" in motions for one in ids[:6])
    assert motions.count('<figure class="remogpt-player"') == 4 * kept > 0, "real, both answers and the one example"
    described = sum(f'<p class="note">{one}</p>' in captions for one in ids[:6])
    assert captions.count('<figure class="remogpt-player"') == described > 0
    assert motions.count("does not lie in the run") == 2 * (8 - kept)
    assert captions.count("<h4>a man walks / he go") == 8 and "table6_none &lt;says&gt; " in captions


def test_unusable_runs_are_told(tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=r"no results\.json in .*nothing"):
        open_runs([tmp_path / "nothing"])
    for folder in ("a/tmr", "b/tmr"):
        write_json(tmp_path / folder / "results.json", {"results": retrieval(5.0)})
    with pytest.raises(RemogptError, match="two runs are called 'tmr'"):
        open_runs([tmp_path / "a", tmp_path / "b"])
    again = open_runs([f"temos={tmp_path / 'a' / 'tmr'}", tmp_path / "b"])
    assert set(again) == {"temos", "tmr"}


def test_names_from_files_cannot_leave_their_cells(tmp_path: Path) -> None:
    write_tables({"<b>|x": generation(0.3, 9.0, "files")}, tmp_path)
    assert "<b>|x" not in (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert "&lt;b&gt;|x" in (tmp_path / "tables.html").read_text(encoding="utf-8")
