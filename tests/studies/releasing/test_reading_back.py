"""A release that is read back into a store says the same in every analysis."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select, update

from crowdloom.analysis.describe import TABLES, describe
from crowdloom.analysis.export import write_labels
from crowdloom.analysis.figures_by_task import FIGURES
from crowdloom.studies.coding import add_coder, save_code
from crowdloom.studies.coding_items import read_scheme
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.importing import import_jspsych
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import BUILDERS, build_label_set
from crowdloom.studies.media import get_media
from crowdloom.studies.reading import find_answers, read_frame
from crowdloom.studies.reading_items import read_items
from crowdloom.studies.reading_questionnaires import read_questionnaires
from crowdloom.studies.records import read_debrief
from crowdloom.studies.releasing.importing import ImportedRelease, import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.pictures import read_pictures
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.tables import Design, Posting, Table
from tests.studies.coded import CODING
from tests.studies.releasing.answered import PEOPLE, STUDIES, answer_all, study

pytestmark = pytest.mark.slow

OF_PEOPLE = ["participant", "submission"]


def bring(store: Store, path: Path, study: str = "again") -> ImportedRelease:
    """Import a release."""
    with opened_release(path) as release:
        return import_release(store, release, study)


def analyses(store: Store, study: str, folder: Path) -> dict[str, Any]:
    """All that is computed from a study: numbers, tables, label files, figures."""
    found: dict[str, Any] = {}
    for scope in ("accepted", "all"):
        with store.read() as connection:
            task = find_answers(connection, study).task
            read = (read_frame(connection, study, scope), read_items(connection, study))
            classes = find_answers(connection, study).classes
        found[f"numbers {scope}"] = describe(task, *read, classes)
        found[f"tables {scope}"] = [(table.title, table.records()) for table in TABLES[task](*read, classes)]
    drawn = FIGURES[task](*read, classes)
    found["undrawn"] = drawn.undrawn
    for name, figure in drawn.figures.items():
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=40)
        found[f"figure {name}"] = picture.getvalue()
    if task in BUILDERS and "midpoint_mean" not in found["numbers all"]:
        for aggregate in (None, "mean"):
            with store.read() as connection:
                table = build_label_set(connection, study, Recipe(aggregate=aggregate)).table
            write_labels(table, folder / "labels.json")
            found[f"labels {aggregate}"] = (folder / "labels.json").read_bytes()
    return found


def without_people(frame: pd.DataFrame) -> list[list[Any]]:
    """A frame's rows with people numbered as they come, without names of studies and times."""
    frame = frame.drop(columns=[name for name in ("study", "at", "answered_at") if name in frame])
    for name in OF_PEOPLE:
        frame[name] = pd.factorize(frame[name])[0]
    plain = frame.astype(object)
    return plain.where(frame.notna(), None).to_numpy().tolist()  # type: ignore[no-any-return]


def counts(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Table.metadata.tables.items()
        }


@pytest.mark.parametrize("name", STUDIES)
def test_no_analysis_changes(answered: Store, store: Store, tmp_path: Path, name: str) -> None:
    """For each task: numbers, tables, labels and figures are equal, to the last digit; so are all frames."""
    release_study(answered, name, tmp_path / "r", Options("CC-BY-4.0", free_text=True, images="include"))
    imported = bring(store, tmp_path / "r.zip")
    assert imported.is_new
    before, after = analyses(answered, name, tmp_path), analyses(store, "again", tmp_path)
    assert list(before) == list(after)
    for what, value in before.items():
        assert after[what] == value, what
    assert any(what.startswith("figure") for what in before)
    for read in (
        lambda connection, study: read_frame(connection, study, "all"),
        lambda connection, study: read_questionnaires(connection, study, "all"),
    ):
        frames = []
        for where, called in ((answered, name), (store, "again")):
            with where.read() as connection:
                frames.append(without_people(read(connection, called)))
        assert frames[0] == frames[1]


def test_what_stands_beside_the_answers_comes_too(answered: Store, released: Path, store: Store) -> None:
    """Debriefs, exclusions with their reasons, people who did not consent, pictures and options of the design."""
    bring(store, released)
    with answered.read() as connection:
        before = read_debrief(connection, "digits")
        pictures = read_pictures(connection, find_answers(connection, "digits", "all"))
    with store.read() as connection:
        after = read_debrief(connection, "again")
        again = read_pictures(connection, find_answers(connection, "again", "all"))
        tables = Table.metadata.tables
        states = connection.scalars(select(tables["submission"].c.state).order_by(tables["submission"].c.id)).all()
        reason = connection.scalars(select(tables["exclusion"].c.reason)).one()
        places = connection.scalars(select(tables["place"].c.state)).all()
        values = connection.scalars(select(Design.values)).one()
    assert after["How hard was it?"].tolist() == before["How hard was it?"].tolist() == ["easy", "hard"]
    assert sorted(states) == sorted(["completed"] * 3 + ["left", "failed_check", "refused"])
    assert "told us that a child clicked" in reason
    assert places == ["filled"] * 3
    assert again == pictures
    content = get_media(store, again[0].sha256)
    assert content is not None
    assert content == get_media(answered, again[0].sha256)
    assert values["comprehension"]["questions"][0]["correct"] == "digits"
    assert "contact" not in values
    assert "does not hold what the participants consented to" in values["consent"]


def test_a_second_import_adds_nothing(released: Path, store: Store) -> None:
    """From the folder or the zip; another release under the same name is refused, another name is another study."""
    first = bring(store, released)
    assert first.release.startswith("digits, version ")
    assert (first.is_new, first.participants, first.submissions, first.responses) == (True, 5, 5, 17)
    before = counts(store)
    assert not bring(store, released.with_name("digits.zip")).is_new
    assert counts(store) == before
    release_study(store, "again", released.with_name("second"), Options("MIT"))
    before = counts(store)
    with pytest.raises(StudyError, match="a study called again exists and is not this release"):
        bring(store, released.with_name("second"))
    with pytest.raises(OptionError, match="--study 'Two Words' cannot be a name"):
        bring(store, released, "Two Words")
    assert counts(store) == before
    assert bring(store, released, "other").is_new
    with store.read() as connection:
        frames = [without_people(read_frame(connection, study)) for study in ("again", "other")]
    assert frames[0] == frames[1]


def test_a_release_of_an_import_says_the_same(answered: Store, sqlite_store: Store, tmp_path: Path) -> None:
    """Names aside every table is equal, durations too, however often it goes round."""
    options = Options("CC-BY-4.0", free_text=True, images="include")
    release_study(answered, "digits", tmp_path / "one", options)
    bring(sqlite_store, tmp_path / "one", "digits")
    release_study(sqlite_store, "digits", tmp_path / "two", options)
    for path in sorted((tmp_path / "one" / "data").glob("*.parquet")):
        frames = [pd.read_parquet(tmp_path / which / "data" / path.name) for which in ("one", "two")]
        for frame in frames:
            for name in frame.columns.intersection(OF_PEOPLE):
                frame[name] = pd.factorize(frame[name])[0]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    one, two = ({path.name for path in (tmp_path / which / "images").iterdir()} for which in ("one", "two"))
    assert one == two


def test_simulated_people_stay_simulated(sqlite_store: Store, tmp_path: Path) -> None:
    """A rehearsal's answers are marked as such, in every document that says how many there are, and after an import."""
    answer_all(sqlite_store, study(sqlite_store, tmp_path, "digits"), PEOPLE[:2])
    with sqlite_store.write() as connection:
        connection.execute(update(Posting).values({"values": {"codes": {}, "simulated": True}}))
    release_study(sqlite_store, "digits", tmp_path / "one", Options("MIT"))
    bring(sqlite_store, tmp_path / "one")
    release_study(sqlite_store, "again", tmp_path / "two", Options("MIT"))
    for which in ("one", "two"):
        assert pd.read_parquet(tmp_path / which / "data" / "submissions.parquet")["simulated"].tolist() == [True, True]
        for name in ("README.md", "croissant.json"):
            text = (tmp_path / which / name).read_text(encoding="utf-8")
            assert "All of the submissions are of simulated people" in text
        assert "machine-generated" in (tmp_path / which / "README.md").read_text(encoding="utf-8")


def test_categories_that_coders_agreed_on_come_too(sqlite_store: Store, tmp_path: Path) -> None:
    """As an attribute of the items, with what they mean in the codebook; codes and coders stay behind."""
    design = study(sqlite_store, tmp_path, "digits", **{"[link]": f"{CODING}[link]"})
    answer_all(sqlite_store, design, PEOPLE[:1])
    with sqlite_store.write() as connection:
        scheme = read_scheme(connection, "digits")
        for who in ("Eva", "Jo"):
            coder = add_coder(connection, "digits", who)
            for item in scheme.items[:3]:
                save_code(connection, scheme, coder, item, "C2", "the note of a coder")
    release_study(sqlite_store, "digits", tmp_path / "r", Options("MIT"))
    bring(sqlite_store, tmp_path / "r")
    with sqlite_store.read() as connection:
        before, after = (read_items(connection, name) for name in ("digits", "again"))
    assert before["category"].tolist().count("C2") == 3
    pd.testing.assert_frame_equal(before, after)
    book = (tmp_path / "r" / "codebook.csv").read_text(encoding="utf-8")
    assert "C1 Local character; C2 Multiple objects; C3 Similar appearance" in book
    assert not [path for path in (tmp_path / "r").rglob("*.*") if b"the note of a coder" in path.read_bytes()]


def test_the_real_crowd_study_goes_round(test_data: Path, sqlite_store: Store, tmp_path: Path) -> None:
    """CIFAR-10S with its doubled session: 6,225 first responses and 498 repeats of 248 people, equal in everything."""
    source = open_store(str(tmp_path / "source.db"))
    path = test_data / "cifar10s-raw.csv"
    import_jspsych(source, path, task="soft-label", study="cifar10s", keep_doubles=True)
    release_study(source, "cifar10s", tmp_path / "r", Options("CC-BY-4.0"))
    imported = bring(sqlite_store, tmp_path / "r.zip")
    assert (imported.participants, imported.submissions, imported.responses) == (248, 249, 6723)
    before, after = analyses(source, "cifar10s", tmp_path), analyses(sqlite_store, "again", tmp_path)
    assert before == after
    assert before["numbers accepted"]["responses_first"] == 6225
    standings = pd.read_parquet(tmp_path / "r" / "data" / "submissions.parquet")["standing"]
    assert standings.value_counts().to_dict() == {"accepted": 248, "copy": 1}
    # The file has no clock, but says how far into its session each answer came.
    answered = pd.read_parquet(tmp_path / "r" / "data" / "responses.parquet")["answered_s"]
    assert answered.notna().all()
    source.close()
