"""The command line as its users call it: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crowdloom.studies.cli import COMMANDS, cli
from crowdloom.studies.database import open_store
from crowdloom.studies.web import create_app
from tests.studies.designs import make_images
from tests.studies.studies_for_tests import DESIGN, complete

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a store of its own, in which commands are run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    (tmp_path / "small.toml").write_text(DESIGN, encoding="utf-8")
    return tmp_path


def call(*arguments: str) -> Result:
    """Run a command that must succeed."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def call_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, whatever it comes to."""
    command = [sys.executable, "-m", "crowdloom.studies.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def people(folder: Path, posting: str, names: str) -> None:
    """Let people complete the study in the folder's store."""
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    client = create_app(store).test_client()
    for name in names.split():
        complete(client, posting, name)
    store.close()


def test_a_study_from_design_to_labels(here: Path) -> None:
    """new, validate, load, publish, status, review, describe, labels, export and close fit together."""
    assert "Wrote mine.toml" in call("new", "soft-label", "mine.toml").output
    assert "12 of 1797 items in 3 batches, 9 submissions wanted, 5.40 USD" in call("validate", "mine.toml").output
    assert "version 1: 6 items in 2 batches, 4 submissions" in call("load", "small.toml").output
    assert "was there already, as version 1" in call("load", "small.toml").output
    link = call("publish", "small").output.splitlines()[-1]
    assert call("publish", "small").output.splitlines()[-1] == link
    people(here, link.rsplit("/", 1)[1], "ann ben")

    status = json.loads(call("status", "small", "--json").output)[0]
    assert (status["responses"], status["submissions"]["completed"]) == (8, 2)
    assert "2 filled, 0 held, 0 overdue, 2 open" in call("status").output

    codes = [line.split()[0] for line in call("review", "small").output.splitlines()[:2]]
    assert "1 not reviewed" in call("review", "small", "--approve", codes[0]).output
    assert "0 not reviewed" in call("review", "small", "--approve-all").output
    call("exclude", "small", codes[1], "--reason", "told us so")

    summary = json.loads(call("describe", "small", "--json").output)
    assert (summary["participants"], summary["responses_first"], summary["responses_repeat"]) == (1, 3, 1)
    assert "label_entropy_mean" in call("describe", "small", "--responses", "all").output

    assert "4 labels from 4 responses" in call("labels", "small", "--out", "labels.json").output
    labels = json.loads((here / "labels.json").read_text(encoding="utf-8"))
    assert sum(len(of_item) for of_item in labels.values()) == 4
    call("labels", "small", "--aggregate", "mean", "--variety", "T1-uniform", "--out", "labels.csv")
    call("export", "small", "--responses", "all", "--out", "answers.csv")
    lines = (here / "answers.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 9
    assert "ann" not in "".join(lines)
    call("export", "small", "--out", "answers.parquet")
    assert call("close", "small").output == "small on link, version 1, is closed.\n"
    again = call_process("close", "small")
    assert (again.returncode, again.stderr) == (2, "Error: small is published, but closed\n")


def test_a_rejected_submission_frees_its_place(here: Path) -> None:
    """Rejecting needs a reason, and the place is open again."""
    call("load", "small.toml")
    people(here, call("publish", "small").output.strip().rsplit("/", 1)[1], "ann")
    code = call("review", "small").output.split()[0]
    assert call_process("review", "small", "--reject", code).returncode == 2
    assert "rejected" in call("review", "small", "--reject", code, "--reason", "typed nonsense").output
    assert "0 filled, 0 held, 0 overdue, 4 open" in call("status", "small").output


def test_validate_looks_at_every_image(here: Path) -> None:
    """What `load` would refuse is refused before, with no store touched; --without-items passes it over."""
    design = DESIGN.replace('source = "digits"\nsample = 6', 'source = "folder"\npath = "images"')
    (here / "pictures.toml").write_text(design, encoding="utf-8")
    make_images(here, 6)
    for path in (here / "images").rglob("*.png"):
        path.rename(here / "images" / path.name)
    assert "6 of 6 items in 2 batches, 4 submissions wanted, 6.00 USD" in call("validate", "pictures.toml").output
    (here / "images" / "3.png").write_text("a dog", encoding="utf-8")
    done = call_process("validate", "pictures.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "images/3.png is not an image that can be shown" in done.stderr
    assert "is a valid design." in call("validate", "pictures.toml", "--without-items").output
    assert not (here / "store.db").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["new", "nothing", "x.toml"],
            "the catalogue has no 'nothing'; there are: coach, latent-session, mixing-coefficient",
        ),
        (["new", "soft-label", "small.toml"], "small.toml exists already and stays as it is"),
        (["validate", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["publish", "nothing"], "is empty; load a study into it first"),
        (["labels", "nothing", "--out", "x.json"], "is empty; load a study into it first"),
        (["export", "nothing", "--out", "x.csv"], "is empty; load a study into it first"),
        (["labels", "nothing", "--repeats", "--out", "x.json"], "--repeats belongs to --aggregate"),
        (["status", "nothing", "--database", "nowhere/x.db"], "does not exist"),
        (["status", "--database", "mysql://x/y"], "--database mysql://x/y is of another kind"),
        (["serve", "--port", "99999999"], "cannot listen"),
        (["load", "small.toml", "--media", "bucket"], "'bucket' is not a bucket"),
    ],
)
def test_errors_are_one_sentence(here: Path, arguments: list[str], sentence: str) -> None:
    """A mistake gives exit status 2 and one line on standard error, no traceback."""
    done = call_process(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_mixes_that_the_question_cannot_use_are_named_by_line(here: Path) -> None:
    """Steps without a coefficient for `infer`, and coefficients without steps for `choose`."""
    call("new", "mixing-coefficient", "mix.toml")
    text = (here / "mix.toml").read_text()
    coefficients = re.search(r"^coefficients = .*$", text, re.MULTILINE)
    assert coefficients is not None
    changes = {
        "the question 'infer' needs the share": text.replace(coefficients[0], "steps = 11"),
        "the question 'choose' needs at least three": text.replace('question = "infer"', 'question = "choose"', 1),
    }
    for said, changed in changes.items():
        (here / "mix.toml").write_text(changed)
        result = call_process("validate", "mix.toml")
        where = 1 + changed[: changed.index("[items.mixed]")].count("\n")
        assert result.returncode == 2
        assert result.stderr.startswith(f"Error: mix.toml:{where}: items.mixed: the mix ")
        assert said in result.stderr


def test_a_slip_in_the_name_of_a_database_leaves_no_store(here: Path) -> None:
    """Only commands that put something in make a store; and an unknown study is told with those there are."""
    assert call_process("status", "--database", "typo.db").returncode == 2
    assert not list(here.glob("typo*"))
    call("load", "small.toml")
    done = call_process("describe", "smal")
    assert (done.returncode, done.stderr) == (2, "Error: no study is called 'smal'; there are: small\n")


def test_an_export_to_a_wrong_suffix_writes_nothing(here: Path) -> None:
    """The suffix decides the format, and an unknown one is refused."""
    call("load", "small.toml")
    done = call_process("export", "small", "--out", "answers.xlsx")
    assert (done.returncode, "ends in .csv or .parquet" in done.stderr) == (2, True)
    done = call_process("export", "small", "--out", "nowhere/answers.csv")
    assert (done.returncode, "nowhere" in done.stderr) == (2, True)
    assert not list(here.glob("**/*answers*"))


def test_a_study_without_answers_can_be_read_too(here: Path) -> None:
    """Before anybody has answered, every reading command says so with empty tables, not with an error."""
    call("load", "small.toml")
    assert json.loads(call("describe", "small", "--json").output)["participants"] == 0
    for name in ("answers.csv", "answers.parquet"):
        assert "0 rows" in call("export", "small", "--out", name).output
    assert len((here / "answers.csv").read_text(encoding="utf-8").splitlines()) == 1
    for aggregate in ([], ["--aggregate", "mean"]):
        for name in ("labels.json", "labels.csv", "labels.parquet", "labels.npz"):
            assert "0 labels" in call("labels", "small", *aggregate, "--out", name).output
    assert "0 completed" in call("review", "small").output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """Each command is found by its name and describes itself."""
    result = call(name, "--help")
    assert "Usage: " in result.output
    assert len(result.output.splitlines()) > 4


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    """`crowdloom --help` and the web app load neither torch nor pandas (nor, for help, pydantic or SQLAlchemy)."""
    script = (
        "import sys; from crowdloom.studies.cli import cli; "
        "cli(['--help'], standalone_mode=False); "
        "heavy = {'torch', 'pandas', 'numpy', 'sqlalchemy', 'pydantic', 'flask'} & set(sys.modules); "
        "assert not heavy, heavy; "
        "import crowdloom.studies.web; "
        "heavy = {'torch', 'pandas', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
