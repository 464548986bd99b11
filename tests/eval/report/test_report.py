"""The report: every number with its card, text that stays text, drawings that show what they say."""

import json
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from remogpt.eval.report import plots, to_html, to_markdown, write_report
from remogpt.eval.report.tables import entries, interval, number, rounded, score
from remogpt.motion.skeleton import CHAINS, JOINT_INDEX, JOINT_NAMES, PARENTS, TARGET_OFFSETS
from remogpt.motion.strips import load_joints, side_of, strip
from remogpt.runtime.errors import RemogptError

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("report_example.py")))
"""Test files cannot import each other in pytest's import mode."""
EVIL = '<script>alert("x")</script> & | `*[a](b) $x$'
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Tags, texts and identifiers of a page; refuses tags that are closed in the wrong order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.sources = [], [], [], [], []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        self.open += [tag] if tag not in VOID else []

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        for kept, name in ((self.ids, "id"), (self.links, "href"), (self.sources, "src")):
            kept += [value for key, value in attrs if key == name]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data.strip())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    report = EXAMPLE["example_report"](out)
    write_report(report, out)
    return report, out


@pytest.fixture(scope="module")
def page(written) -> Page:
    return Page((written[1] / "report.html").read_text(encoding="utf-8"))


def only(report, *tasks):
    return report | {"results": {name: one for name, one in report["results"].items() if name.split("/")[0] in tasks}}


def standing() -> np.ndarray:
    """(1, 22, 3): a person who looks along +z and lets the arms hang, feet on the floor."""
    pose = np.zeros((1, 22, 3))
    for joint, parent in enumerate(PARENTS[1:], 1):
        pose[:, joint] = pose[:, parent] + TARGET_OFFSETS[joint]
    pose[..., 1] -= pose[..., 1].min()
    return pose


def limbs(svg: str) -> dict[str, list[np.ndarray]]:
    """Class -> its polylines as (points, 2), of all poses."""
    found: dict[str, list[np.ndarray]] = {}
    for line in ElementTree.fromstring(svg).iter("polyline"):
        points = [[float(value) for value in point.split(",")] for point in line.attrib["points"].split()]
        found.setdefault(line.attrib["class"], []).append(np.array(points))
    return found


# ---- the whole -------------------------------------------------------------------------------------------------------


def test_the_same_results_give_the_same_bytes(written):
    report, out = written
    again = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert again == report
    assert to_html(again, out) == (out / "report.html").read_text(encoding="utf-8")
    assert to_markdown(again) == (out / "report.md").read_text(encoding="utf-8")


def test_every_result_is_named_and_its_card_is_on_the_page(written, page):
    report, out = written
    assert sorted(text for text in page.texts["summary"] if text in report["results"]) == sorted(report["results"])
    markdown = (out / "report.md").read_text(encoding="utf-8")
    for name, result in report["results"].items():
        assert result["card"]["items_sha256"] in page.texts["dd"]
        assert f"- **{name}**: " in markdown and f"items_sha256 `{result['card']['items_sha256']}`" in markdown
    assert page.tags.count("dl") == len(report["results"])


def test_every_row_of_numbers_leads_to_a_card(page):
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert page.texts["a"].count("card") > 100


def test_the_page_needs_nothing_from_outside(written, page):
    text = (written[1] / "report.html").read_text(encoding="utf-8")
    assert page.tags.count("script") == 1 and not page.sources and "link" not in page.tags  # the player's own
    assert "http" not in text and "url(" not in text.replace("url(#", "") and "@import" not in text


def test_tables_hold_the_numbers_with_their_intervals_and_chance(written):
    report, out = written
    text = (out / "report.md").read_text(encoding="utf-8")
    fid = report["results"]["generation/test/retrieval"]["scores"]["evaluator"]["fid"]
    assert f"| test | retrieval | {fid['mean']:.3f} ± {fid['ci95']:.3f} |" in text
    facts = report["results"]["facts/test/retrieval"]["scores"]
    second = facts["second_detectors"]["share"]
    assert (
        f"| test | retrieval | {100 * facts['share']:.1f} ± 4.0 | {100 * facts['all_hold']:.1f} | 99.7 | 4.0 |"
        f" {100 * second:.1f} ± 5.0 | 98.1 | 5.0 |" in text
    )
    assert "By factor, by second detectors, percent (facts checked)" in text
    assert "| test | chance | 0.031 | 0.062 | 0.094 |" in text  # R-precision in pools of 32
    assert "| test | chance | both | 0.3 | 0.5 | 0.8 | 1.3 | 2.6 | 189.5 | 378 |" in text  # as the results say
    assert "| test | chance | both | 3.1 | 6.2 | 9.4 | 15.6 | 31.2 | 16.5 | 32 |" in text  # protocol guo
    assert (
        "| test | kitchen |" in text and "| test | no_retrieval | training captions | 4.400 | 5.600 ± 0.400 |" in text
    )
    assert "Nothing to score in test_far." in text


def test_the_page_and_the_markdown_hold_the_same_numbers(written, page):
    markdown = (written[1] / "report.md").read_text(encoding="utf-8")
    cells = {text for tag in ("td", "span") for text in page.texts[tag]}
    numbers = re.findall(r"(?<=\| )(\d+\.\d+)(?: ± \d+\.\d+)?(?= \|)", markdown.split("### The rarest prompts")[0])
    assert len(numbers) > 300 and not set(numbers) - cells


def test_controls_stand_around_the_model(written):
    modes = [entry.mode for entry in entries(written[0], "generation") if entry.split == "test"]
    assert modes[0] == "real" and modes[-2:] == ["retrieved", "nearest_training"] and modes[1] == "retrieval"


def test_the_rarest_prompts_are_shown_with_their_motions(written, page):
    prompts = written[0]["results"]["rare/test/retrieval"]["scores"]["rarest"]
    assert len(prompts) == 5 and all(prompt["caption"] in page.texts["h4"] for prompt in prompts)
    text = (written[1] / "report.html").read_text(encoding="utf-8")
    assert text.count('<figure class="remogpt-player"') == text.count('<svg class="strip"') == 2 * 5 * 4
    assert f'data-label="generated motion: {prompts[0]["caption"]}"' in text
    assert text.count("data-remogpt-together>") == 2 * 5


# ---- tasks that are not there ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("task", ["tokenizer", "retrieval", "generation", "facts", "captioning", "rare", "swap"])
def test_each_task_can_stand_alone(written, task):
    report = only(written[0], task)
    page = Page(to_html(report, written[1]))
    assert set(report["results"]) <= set(page.texts["summary"]) and task in page.ids
    assert "| test |" in to_markdown(report)


def test_no_results_are_a_page_too(tmp_path):
    write_report({"format": 2, "missing_splits": [], "results": {}}, tmp_path)
    assert "No results." in (tmp_path / "report.md").read_text()
    page = Page((tmp_path / "report.html").read_text())
    assert "No results." in page.texts["p"][0] and "script" not in page.tags, "no player where no motion is shown"


@pytest.mark.usefixtures("no_plots")
def test_scores_that_were_not_computed_leave_no_column(written):
    report = json.loads(json.dumps(only(written[0], "generation", "captioning", "rare", "retrieval")))
    for name, result in report["results"].items():
        for absent in ("evaluator", "memorisation", "bertscore", "database", "gain", "recall_curve", "guo", "rarest"):
            result["scores"].pop(absent, None)
        if name.endswith("nearest_training"):
            result["scores"] = {"num_items": 3}
    text = to_markdown(report)
    assert not [
        words for words in ("R-precision by", "BERTScore", "Distances", "| ratio |", "| guo |") if words in text
    ]
    assert "copies of an example (%)" in text and "database captions" not in text
    Page(to_html(report, written[1]))


def test_physical_quality_is_shown_once(written):
    assert to_markdown(written[0]).count("### Size of the fault") == 1
    alone = to_markdown(only(written[0], "facts"))
    assert "### Size of the fault" in alone and "| test | retrieval_best_of_8 |" in alone
    assert "| test | tokenizer |" in to_markdown(only(written[0], "tokenizer"))


def test_answers_from_files_and_unknown_parts_are_reported(written):
    one = written[0]["results"]["captioning/test/retrieval"]
    results = {"captioning/all/files": one | {"card": one["card"] | {"model": None}}, "dance/test": one}
    text = to_markdown({"results": results})
    assert "Answers from files on **remogpt-procedural**" in text and "- **dance/test**" in text
    page = Page(to_html({"results": results}))
    assert page.texts["h1"] == ["Evaluation"] and {"captioning/all/files", "dance/test"} <= set(page.texts["summary"])


@pytest.mark.usefixtures("no_plots")
def test_a_motion_that_is_gone_is_named_and_a_damaged_one_refused(written, page, tmp_path):
    report = only(written[0], "rare")
    gone = "rarest/test/0/generated.npy is not there any more."
    assert gone in Page(to_html(report, tmp_path)).texts["p"] and gone not in page.texts["p"]
    (tmp_path / "rarest/test/0").mkdir(parents=True)
    np.save(tmp_path / "rarest/test/0/generated.npy", np.zeros((5, 4)))
    with pytest.raises(RemogptError, match=r"generated\.npy: wanted joints \(T, 22, 3\).*came \(5, 4\)"):
        to_html(report, tmp_path)


# ---- text that stays text --------------------------------------------------------------------------------------------


def test_captions_names_and_cards_are_escaped(written):
    report = json.loads(json.dumps(only(written[0], "retrieval", "facts", "captioning", "rare", "swap")))
    for result in report["results"].values():
        result["card"] |= {"set": EVIL, "model": EVIL, "evaluator_dependence": EVIL}
        for item in [*result["scores"].get("items", []), *result["scores"].get("rarest", [])]:
            item |= {"caption": EVIL, "nearest_caption": EVIL, "id": EVIL, "references": [EVIL]}
    results = report["results"]
    results |= {name.replace("kitchen", EVIL): results.pop(name) for name in list(results) if "kitchen" in name}
    results |= {name + EVIL: results.pop(name) for name in list(results) if name.endswith("/no_retrieval")}
    page = Page(to_html(report, written[1]))
    assert page.tags.count("script") == 1
    assert (
        EVIL in page.texts["h4"] and EVIL in page.texts["td"] and EVIL in page.texts["dd"] and EVIL in page.texts["b"]
    )
    assert any(EVIL in text for text in page.texts["text"]), "legends are text too, and dollars no formula"
    assert any("not independent of the model" in text for text in page.texts["p"])
    markdown = to_markdown(report)
    wanted = 0
    for line in markdown.splitlines():
        wanted = line.count("|") if line.startswith("|---") else wanted if line.startswith("|") else 0
        assert not wanted or len(re.findall(r"(?<!\\)\|", line)) == wanted, line
    assert "| test | retrieval | \\<script" in markdown
    assert not re.search(r"(?<!\\)<script", markdown.split("## Protocol cards")[0])


# ---- drawings --------------------------------------------------------------------------------------------------------


def test_drawings_are_svg_with_text_and_the_pages_colours(written):
    scores = written[0]["results"]["retrieval/test"]["scores"]
    svg = plots.recall_curves({"test": scores["recall_curve"]}, {"test": 378.0})
    root = ElementTree.fromstring(svg)
    texts = {element.text for element in root.iter("text")}
    assert {"t2m", "m2t", "chance", "test, gallery of 378", "recall (%)"} <= texts
    used = set(re.findall(r"var\(--(\w+), #", svg))
    assert {"left", "right", "soft", "ink", "line"} == used
    assert not set(re.findall(r"(?:fill|stroke): (#\w+)", svg)) - {"#000000", "#ffffff"}
    css = (Path(plots.__file__).parent / "report.css").read_text()
    assert all(f"--{name}: {colour};" in css for name, colour in plots.COLOURS.items())


def test_bars_are_as_long_as_the_shares():
    svg = plots.fact_bars({"a": {"side": 0.25, "count": 0.5}}, {"real": {"side": 1.0, "count": 1.0}},
                          {"side": 8, "count": 4}, "one")  # fmt: skip
    paths = re.findall(r'<path d="([^"]+)"[^>]*var\(--left', svg)
    widths = [np.ptp([float(x) for x in re.findall(r"[ML] ([\d.]+)", path)]) for path in paths]
    assert widths[1] == pytest.approx(2 * widths[0], rel=1e-3)  # the third is the legend's
    assert "side (8)" in svg and ">25<" in svg and ">50<" in svg and ">real<" in svg


def test_ranges_without_prompts_are_drawn_as_gaps_and_a_gain_with_its_zero_line():
    curve = {"edges": [0.0, 0.1, 0.2, 0.3], "means": [1.0, None, 2.0], "ci95": [0.1, None, 0.0], "counts": [5, 0, 1]}
    svg = plots.rareness_curves({"MM-dist": {"retrieval": curve}, "gain": {"": curve}}, "one", zero_line=["gain"])
    assert svg.count("above 0: retrieval helps") == 1 and "nan" not in svg.lower()
    assert {">5<", ">0<", ">1<"} <= set(re.findall(r">\d<", svg))


def test_ids_of_two_drawings_do_not_collide():
    curve = {"edges": [0.0, 0.1], "means": [1.0], "ci95": [0.1], "counts": [5]}
    first, second = (plots.rareness_curves({"x": {"y": curve}}, name) for name in ("one", "two"))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', first)) == ids[0]


def test_a_readers_matplotlib_settings_change_nothing():
    import matplotlib

    curve = {"t2m": [10.0, 20.0]}
    plain = plots.recall_curves({"test": curve}, {"test": 10.0})
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0, "svg.fonttype": "path"}):
        assert plots.recall_curves({"test": curve}, {"test": 10.0}) == plain


def test_strips_colour_the_sides_of_the_body():
    for chain in CHAINS:
        sides = {JOINT_NAMES[joint].split("_")[0] for joint in chain[1:]}
        assert side_of(chain) == (sides.pop() if len(sides) == 1 else "trunk")
    joints = standing()
    joints[0, JOINT_INDEX["left_wrist"], 1] += 2.0
    found = limbs(strip(joints))
    highest = {side: min(points[:, 1].min() for points in lines) for side, lines in found.items()}
    assert highest["left"] < highest["trunk"] < highest["right"]  # y points down in a drawing
    joints = standing()
    joints[0, JOINT_INDEX["right_foot"], 1] -= 0.5
    lowest = {side: max(points[:, 1].max() for points in lines) for side, lines in limbs(strip(joints)).items()}
    assert lowest["right"] > lowest["left"] > lowest["trunk"]


def test_a_strip_is_seen_from_the_right_whichever_way_the_person_looks():
    joints = np.concatenate([standing() for _ in range(30)])
    joints[:, JOINT_INDEX["head"], 2] += 0.3
    angle = 2.0
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    assert strip(joints @ turn.T + [5.0, 0.0, -3.0]) == strip(joints)
    head, neck = limbs(strip(joints))["trunk"][0][[-1, -2]]
    assert head[0] > neck[0] + 10.0  # what points forward points to the right


def test_poses_stand_side_by_side_from_the_first_to_the_last_frame():
    joints = np.repeat(standing(), 41, axis=0) + np.linspace(0, 4, 41)[:, None, None] * [0.0, 0.0, 1.0]
    root = ElementTree.fromstring(strip(joints, num_poses=5, label="a & b"))
    assert [element.text for element in root.iter("text")] == ["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s"]
    centres = [float(element.attrib["cx"]) for element in root.iter("circle")]
    assert np.ptp(np.diff(centres)) < 0.2 and centres[0] > 0
    assert root.attrib["aria-label"] == "a & b"
    assert len(limbs(strip(joints[:1], num_poses=5))["trunk"]) == 1


@pytest.mark.parametrize(
    ("joints", "reason"),
    [
        (np.zeros((4, 263)), "came \\(4, 263\\)"),
        (np.zeros((0, 22, 3)), "T > 0"),
        (np.full((2, 22, 3), np.nan), "finite"),
    ],
)
def test_what_is_no_motion_is_refused(joints, reason):
    with pytest.raises(RemogptError, match=reason):
        strip(joints)


def test_features_and_joints_are_both_read(written):
    folder = written[1] / "rarest" / "test" / "0"
    assert np.load(folder / "real.npy").ndim == 3 and np.load(folder / "generated.npy").ndim == 2
    assert load_joints(folder / "real.npy").shape[1:] == load_joints(folder / "generated.npy").shape[1:] == (22, 3)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_numbers_carry_the_decimals_of_their_interval():
    assert rounded(121.84, 9.21) == "121.8 ± 9.2" and rounded(0.07426, 0.00296) == "0.0743 ± 0.0030"
    assert rounded(1234.5, 150.0) == "1234 ± 150" and rounded(0.5, 0.0) == "0.5" and rounded(None, 1.0) == ""
    assert interval(0.5, 1e-17, 1) == "0.5" and interval(0.5, 0.001, 1) == "0.5 ± 0.0"
    assert interval(0.5, None, 1, 100) == "50.0" and interval(0.5, 0.04, 1, 100) == "50.0 ± 4.0"
    assert number(float("nan")) == "" and number("text") == "" and number(-0.04, 1) == "-0.0"


def test_a_share_whose_interval_is_wider_than_itself_is_a_count():
    assert score({"share": 0.05, "ci95": 0.07, "num_facts": 40}, "share", scale=100) == "2 of 40"
    assert score({"share": 0.5, "ci95": 0.07, "num_facts": 40}, "share", scale=100) == "50.0 ± 7.0"


@pytest.mark.usefixtures("no_plots")
def test_the_overview_shows_what_users_of_the_model_get(written, tmp_path):
    """Not an ablation that stands before it, or a split on which fewer modes were run."""
    results = written[0]["results"]
    some = dict(
        results["facts/test/no_retrieval"], scores=results["facts/test/no_retrieval"]["scores"] | {"share": 0.123}
    )
    default = dict(some, scores=some["scores"] | {"share": 0.7654, "ci95": 0.01})
    for names, shown in (({"prompt_only": some}, "retrieval"), ({"prompt_only": some, "default": default}, "default")):
        wanted = {f"facts/test/{mode}": one for mode, one in names.items()} | only(written[0], "facts")["results"]
        write_report(written[0] | {"results": wanted}, tmp_path)
        tile = re.search(r'class="tile" href="#[^"]*">(.*?)</a>', (tmp_path / "report.html").read_text("utf-8"), re.S)
        assert tile is not None and f"facts/test/{shown}</span>" in tile[1]
    assert "76.5" in tile[1]


def test_matplotlib_and_jinja_are_loaded_only_to_write():
    code = "import remogpt.eval.report, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "remogpt.eval.report.plots" in loaded and not {"matplotlib", "jinja2"} & set(loaded)
