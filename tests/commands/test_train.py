"""`remogpt train`, `assemble` and `eval`: the whole recipe in a few steps."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

import remogpt
from remogpt.runtime.files import read_json

LOOP = {"steps": 4, "batch_size": 4, "learning_rate": 1.0e-3, "save_every": 2, "log_every": 1, "cpu": True}
TOKENIZER = {"width": 16, "num_codes": 32, "code_dim": 16, "depth": 1, "window": 32, "loop": LOOP}
RETRIEVER = {
    "model": {"part_width": 16, "num_layers": 1, "num_heads": 2, "feedforward": 32, "patch": 8, "projection_dim": 16,
              "text_width": 16, "text_layers": 1, "text_heads": 2, "text_feedforward": 32},
    "fine_tune_text": False,
    "loop": LOOP,
}  # fmt: skip
LM = {
    "size": {"width": 16, "ff": 32, "layers": 1, "decoder_layers": 1, "heads": 2, "head_dim": 8},
    "vocabulary_size": 320,
    "num_codes": 32,
    "loop": LOOP,
}


@pytest.fixture
def yaml_file(tmp_path: Path):
    """Write settings to a file."""

    def write(settings: dict | list) -> Path:
        path = tmp_path / f"settings{len(list(tmp_path.glob('settings*')))}.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path

    return write


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_the_recipe_from_data_to_numbers(run, yaml_file, tiny_set: Path, tiny_text_model: Path, tmp_path: Path) -> None:
    """Train each component, build a database and neighbours, instruct, assemble, generate, evaluate."""

    def do(*words: object) -> str:
        ran = run(*words)
        assert ran.code == 0, ran.err
        return ran.out

    data = ("--data", tiny_set)
    t, r, lm0, lm = (tmp_path / name for name in ("tokenizer", "retriever", "lm0", "lm"))
    assert "tokenizer trained on" in do("train", "tokenizer", "--config", yaml_file(TOKENIZER), *data, "--out", t)
    assert [line["step"] for line in log_of(t) if "loss" in line] == [1, 2, 3, 4]
    settings = yaml_file({**RETRIEVER, "text_model": str(tiny_text_model)})
    do("train", "retriever", "--config", settings, *data, "--out", r)
    components = ("--retriever", r, "--tokenizer", t)
    for split in ("train", "val"):
        do("db", "build", tiny_set, "--split", split, "--out", tmp_path / split, *components)
        do(
            "db",
            "neighbours",
            tmp_path / "train",
            "--queries",
            tmp_path / split,
            "--out",
            tmp_path / f"{split}.safetensors",
        )
    do("train", "lm", "--config", yaml_file(LM), *data, "--tokenizer", t, "--out", lm0)
    instruct = yaml_file({**LM, "stage": "instruct"})
    do("train", "lm", "--config", instruct, *data, "--tokenizer", t, "--out", lm, "--start-from", lm0,
       "--database", tmp_path / "train", "--neighbours", tmp_path / "train.safetensors",
       "--val-neighbours", tmp_path / "val.safetensors")  # fmt: skip
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / ".model.abcdefgh.safetensors").touch()  # as if it had been killed while writing its weights
    copy = ("train", "copy", "--config", yaml_file({"loop": LOOP}), "--tokenizer", t, "--out", tmp_path / "copy")
    do(*copy, "--database", tmp_path / "train", "--queries", tmp_path / "val",
       "--neighbours", tmp_path / "val.safetensors")  # fmt: skip
    assert not list((tmp_path / "copy").glob(".*"))
    assert {"nll", "gain", "match"} <= log_of(tmp_path / "copy")[0].keys()
    model = tmp_path / "model"
    out = do("assemble", "--tokenizer", t, "--retriever", r, "--lm", lm, "--database", tmp_path / "train",
             "--copy", tmp_path / "copy", "--copy-strength", 2, "--copy-strength-alone", 3,
             "--name", "tiny", "--licence", "MIT", "--out", model)  # fmt: skip
    assert "tiny (tokenizer " in out and ", copy " in out
    generation = read_json(model / "remogpt.json")["generation"]
    assert generation["copy_strength"] == 2 and generation["copy_strength_alone"] == 3
    assert not list(model.rglob("training.pt")) and not list(model.rglob("run"))
    do("generate", "a person walks", "--model", model, "--out", tmp_path / "walk.bvh", "--seconds", 2)
    assert remogpt.load_motion(tmp_path / "walk.bvh").num_frames == 40
    small = ("--config.num_generation", 2, "--config.num_captioning", 2, "--config.splits", "[test]")
    report = do("eval", "all", "--model", model, *data, "--out", tmp_path / "eval", *small)
    results = read_json(tmp_path / "eval" / "results.json")["results"]
    wanted = {"tokenizer/test", "facts/test/no_retrieval", "facts/test/prompt_only", "captioning/test/prompt_only"}
    assert {*wanted, "captioning/test/retrieval"} <= results.keys()
    assert results["facts/test/prompt_only"]["card"]["copy_strength"] == 0
    assert "## Motion to text" in report


def test_tmr_is_a_retriever_like_the_other(
    run, yaml_file, tiny_set: Path, tiny_text_model: Path, tiny_components, tmp_path: Path
) -> None:
    settings = yaml_file(
        {
            "model": {"width": 16, "num_layers": 1, "num_heads": 2, "feedforward": 32},
            "text_model": str(tiny_text_model),
            "filter_model": str(tiny_text_model),
            "loop": LOOP,
        }
    )
    out, database = tmp_path / "tmr", tmp_path / "database"
    ran = run("train", "tmr", "--config", settings, "--data", tiny_set, "--out", out)
    assert ran.code == 0 and "tmr trained on" in ran.out, ran.err
    assert {"reconstruction", "kl", "latent", "contrastive", "filtered"} <= log_of(out)[0].keys()
    components = ("--retriever", out, "--tokenizer", tiny_components.tokenizer)
    assert run("db", "build", tiny_set, "--split", "train", "--out", database, *components).code == 0
    assembled = run("assemble", "--retriever", out, "--tokenizer", tiny_components.tokenizer, "--lm",
                    tiny_components.lm, "--database", database, "--name", "x", "--out", tmp_path / "model")  # fmt: skip
    assert assembled.code == 0, assembled.err
    found = run("search", "a person walks", "--model", tmp_path / "model")
    assert found.code == 0 and found.out, found.err


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(run, yaml_file, tiny_set: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = ("train", "tokenizer", "--config", yaml_file(TOKENIZER), "--data", tiny_set, "--out")
    assert run(*command, whole).code == 0

    class PowerCutError(BaseException):
        """Nothing catches it."""

    from remogpt.tokenizer_vqvae import train

    original, calls = train.tokenizer_loss, []

    def cut(*arguments, **named):
        calls.append(1)
        if len(calls) == 4:
            raise PowerCutError
        return original(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(train, "tokenizer_loss", cut)
        run(*command, killed)
    assert not (killed / "model.safetensors").exists() and (killed / "run" / "training.pt").is_file()
    assert run(*command, killed).code == 0
    assert weights(killed) == weights(whole) and log_of(killed) == log_of(whole)
    assert run(*command, killed).code == 0 and weights(killed) == weights(whole)  # finished: nothing to do


def test_a_run_with_other_settings_is_refused(run, yaml_file, tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("train", "tokenizer", "--config", yaml_file(TOKENIZER), "--data", tiny_set, "--out", out)
    run(*command)
    before = weights(out)
    complaint = run(*command, "--config.loop.steps", 9).complaint
    assert "loop.steps was 4, is 9" in complaint and weights(out) == before


def test_one_field_can_be_changed_on_the_command_line(run, yaml_file, tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("train", "tokenizer", "--config", yaml_file(TOKENIZER), "--config.loop.steps", 1, "--config.width", 24,
              "--data", tiny_set, "--out", out)  # fmt: skip
    assert ran.code == 0
    settings = yaml.safe_load((out / "run" / "config.yaml").read_text())
    assert settings["loop"]["steps"] == 1 and settings["stage"]["width"] == 24 and settings["stage"]["code_dim"] == 16


def test_what_a_user_may_get_wrong_in_training(run, yaml_file, tiny_set: Path, tiny_components, tmp_path: Path) -> None:
    data, out = ("--data", tiny_set), ("--out", tmp_path / "out")
    (tmp_path / "broken.yaml").write_text("loop: [1\n")
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "file").write_text("x")
    good = ("--config", yaml_file(TOKENIZER))
    no_val = shutil.copytree(tiny_set, tmp_path / "set")
    (no_val / "val.txt").unlink()
    lm = ("--config", yaml_file(LM), *data, *out, "--tokenizer")
    cases = {
        (): "say which stage: tokenizer, retriever, tmr, lm",
        ("tokeniser",): "no stage 'tokeniser'; did you mean 'tokenizer'?",
        ("tokenizer", "--config", yaml_file({"widht": 3}), *data, *out): "no setting 'widht'; did you mean 'width'?",
        ("tokenizer", "--config", yaml_file({"loop": {"step": 3}}), *data, *out): "did you mean 'loop.steps'?",
        ("tokenizer", "--config", yaml_file({"width": "wide"}), *data, *out): "wanted a whole number, got wide",
        ("tokenizer", "--config", yaml_file({"loop": {"steps": 0}}), *data, *out): "loop.steps, loop.batch_size and",
        ("tokenizer", "--config", yaml_file({"loop": {"seed": -1}}), *data, *out): "loop.seed must be 0 or more",
        ("tokenizer", "--config", yaml_file({"window": 7}), *data, *out): "window must be a multiple of 4",
        ("tokenizer", "--config", yaml_file({"loop": {"schedule": "linear"}}), *data, *out): "one of 'constant', 'c",
        ("tokenizer", "--config", yaml_file({"loop": {"betas": [1]}}), *data, *out): "a tuple with 2 elements, got [1]",
        ("tokenizer", "--config", yaml_file({"weights": 3}), *data, *out): "should hold further settings",
        ("tokenizer", "--config", yaml_file([1, 2]), *data, *out): "wanted settings, one a line",
        ("tokenizer", "--config", tmp_path / "nowhere.yaml", *data, *out): "there is no such file",
        ("tokenizer", "--config", "mini/tokenzer", *data, *out): "did you mean mini/tokenizer",
        ("tokenizer", "--config", tmp_path, *data, *out): "this is a folder; name a YAML file",
        ("tokenizer", "--config", tmp_path / "broken.yaml", *data, *out): "this is not YAML",
        ("tokenizer", "--config", tmp_path / "binary.yaml", *data, *out): "not UTF-8 text",
        ("tokenizer", *good, *out): "data",
        ("tokenizer", *good, "--data", tmp_path / "nowhere", *out): "is not in HumanML3D's layout",
        ("tokenizer", *good, "--data", no_val, *out): "no split 'val'",
        ("tokenizer", *good, *data, "--out", tmp_path / "file"): "is a file; name another folder",
        ("retriever", "--config", yaml_file({"text_model": str(tmp_path / "x")}), *data, *out): "no text model",
        ("lm", *lm, tmp_path / "nowhere"): "no tokenizer in",
        ("lm", *lm, tiny_components.tokenizer, "--neighbours", "n"): "give it with --database",
        ("lm", "--config", yaml_file({"stage": "instruct"}), *lm[2:], tiny_components.tokenizer): "--start-from",
        ("lm", *lm, tiny_components.tokenizer, "--start-from", tiny_components.retriever): "wanted a lm, but",
    }  # fmt: skip
    for words, message in cases.items():
        assert message in run("train", *words).complaint, words
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_what_may_not_be_assembled(
    run, tiny_components, make_tiny_components, tiny_model: Path, tmp_path: Path
) -> None:
    other = make_tiny_components(tmp_path / "other", 2)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")

    def assemble(out: Path, **changed: Path):
        components = {"tokenizer": tiny_components.tokenizer, "retriever": tiny_components.retriever,
                      "lm": tiny_components.lm, "database": tiny_components.database, **changed}  # fmt: skip
        words = [word for kind, path in components.items() for word in (f"--{kind}", path)]
        return run("assemble", *words, "--name", "x", "--out", out)

    new = tmp_path / "new"
    assert "thesis.txt" in assemble(mine).complaint and (mine / "thesis.txt").read_text() == "years of work"
    assert "built with retriever" in assemble(new, database=other.database).complaint
    assert "built with tokenizer" in assemble(new, retriever=other.retriever, database=other.database).complaint
    assert "no lm in" in assemble(new, lm=tmp_path / "nowhere").complaint
    assert "wanted a lm, but" in assemble(new, lm=tiny_components.tokenizer).complaint
    assert "no database in" in assemble(new, database=tmp_path).complaint
    assert not new.exists()
    assert assemble(new).code == 0 and assemble(new).code == 0  # an earlier model may be replaced
    assert sorted(path.name for path in new.iterdir()) == sorted(path.name for path in tiny_model.iterdir())


@pytest.mark.parametrize("kind", ["tokenizer", "retriever", "lm"])
@pytest.mark.parametrize("damage", ["gone", "no weights", "no config", "cut", "other"])
def test_a_model_with_a_damaged_component_is_refused(
    run, tiny_model: Path, make_tiny_components, tmp_path: Path, kind: str, damage: str
) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "model")
    file = model / kind / "model.safetensors"
    if damage == "gone":
        shutil.rmtree(model / kind)
    elif damage == "no weights":
        file.unlink()
    elif damage == "no config":
        (model / kind / "config.json").unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        shutil.rmtree(model / kind)
        shutil.copytree(getattr(make_tiny_components(tmp_path / "other", 4), kind), model / kind)
    complaint = run("generate", "walks", "--out", tmp_path / "m.npy", "--model", model).complaint
    expected = {"gone": "no such folder", "no weights": "model.safetensors missing", "no config": "config.json missing",
                "cut": "is not what was saved there", "other": "do not belong together"}  # fmt: skip
    assert kind in complaint and expected[damage] in complaint
    assert not (tmp_path / "m.npy").exists()
