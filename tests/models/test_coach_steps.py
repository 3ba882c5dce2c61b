"""The steps of a coached trial: what is read, proposed, kept and refused."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crowdloom.models import coach_steps
from crowdloom.models.coach_folder import prepared_coach
from crowdloom.models.coach_kept import DAMAGED
from crowdloom.models.coach_steps import CHOICES, NOT_READY, given, read, state
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_options import CoachOptions
from crowdloom.tasks.coach_records import Drawing, GivenInput, Nothing, Read, ReadInput, Strokes, packed, unpacked
from crowdloom.tasks.coach_words import advice
from crowdloom.tasks.protocol import Trial
from tests.models.coach_folders import DIGITS, write_coach

SEVEN: Strokes = [[(0.3, 0.2, 100.0), (0.7, 0.2, 300.0), (0.45, 0.8, 700.0)]]
ONE: Strokes = [[(0.5, 0.2, 100.0), (0.5, 0.8, 700.0)]]


@pytest.fixture
def coaches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where prepared coaches lie; there is `tiny`."""
    root = tmp_path / "coaches"
    monkeypatch.setenv("CROWDLOOM_COACHES", str(root))
    write_coach(root)
    return root


@pytest.fixture
def page(coaches: Path, tmp_path: Path) -> Callable[..., Context]:
    """The context of a trial's page."""

    def context(
        trial_id: str = "a.0", submission: str = "ann", classes: tuple[str, ...] = DIGITS, **options: Any
    ) -> Context:
        asked = options.pop("asked", "7")
        trial = Trial(
            classes=classes,
            class_order=classes,
            options=CoachOptions(**{"coach": "tiny"} | options),
            seed=f"{submission} {trial_id}",
            reference=asked,
        )
        return Context(tmp_path / submission, submission, trial=trial, trial_id=trial_id)

    return context


def said(strokes: Strokes, attempt: int = 1, done: bool = True, **other: Any) -> ReadInput:
    """What the page sends."""
    drawing = Drawing(strokes=strokes, **{"device": "pen", "seconds": 3.0} | other)
    return ReadInput(attempt=attempt, drawing=drawing, done=done)


def test_two_attempts_make_a_writing(page: Callable[..., Context]) -> None:
    """The first one has a proposal, the second one none, and the state goes along."""
    context = page()
    begun = state(Nothing(), context)
    assert begun.ready
    assert begun.writing is not None
    assert (begun.writing.asked, begun.writing.coached, begun.writing.attempts) == ("7", True, [])
    first = read(said(SEVEN), context)
    assert first.reading.picture == packed(render(SEVEN))
    assert first.proposal is not None
    coach, usual = prepared_coach("tiny"), CoachOptions()
    weights = usual.classification, usual.efficiency, usual.discriminator
    assert unpacked(first.proposal.picture) == coach.propose(render(SEVEN), "7", weights)
    assert first.reading.read == coach.read(render(SEVEN))
    assert first.reading.probabilities == [round(one, 6) for one in coach.probabilities(render(SEVEN))]
    judged = {"asked": "7", "read": first.reading.read, "proposed_read": first.proposal.read}
    advised = advice(render(SEVEN), unpacked(first.proposal.picture), **judged)
    assert (first.proposal.words, first.marks) == (advised.words, packed(advised.marks))
    assert state(Nothing(), context).marks == first.marks
    second = read(said(ONE, 2), context)
    assert second.proposal is None
    assert [attempt.drawing.strokes for attempt in second.writing.attempts] == [SEVEN, ONE]
    assert second.writing.attempts[0].proposal == first.proposal
    assert second.writing.coach == f"tiny:{coach.digest}"
    assert state(Nothing(), context).writing == second.writing


def test_the_control_is_read_alone(page: Callable[..., Context]) -> None:
    """No proposal is made, also where a class is coached for nobody."""
    for options in ({"coaching": "control"}, {"never_coached": ("7",)}):
        context = page(submission=str(options), **options)
        done = read(said(SEVEN), context)
        assert (done.proposal, done.marks, state(Nothing(), context).marks) == (None, None, None)
        assert done.writing is not None
        assert not done.writing.coached


def test_an_unfinished_drawing_is_read_and_not_kept(page: Callable[..., Context]) -> None:
    """It counts as a look, until the second attempt is done."""
    context = page(reads="at-pen-up")
    looked = read(said(ONE, done=False), context)
    assert looked.proposal is not None
    assert looked.writing is None
    read(said(SEVEN, done=False), context)
    begun = state(Nothing(), context).writing
    assert begun is not None
    assert (begun.looks, begun.attempts) == (2, [])
    read(said(SEVEN), context)
    read(said(ONE, 2, done=False), context)
    done = read(said(ONE, 2), context).writing
    assert done is not None
    assert done.looks == 3
    with pytest.raises(Refused, match=r"The second attempt is done already"):
        read(said(SEVEN, 2, done=False), context)
    found = state(Nothing(), context).writing
    assert found is not None
    assert found.looks == 3


def test_nobody_looks_without_end(page: Callable[..., Context], monkeypatch: pytest.MonkeyPatch) -> None:
    """After many looks an unfinished drawing is refused; one that is done is read."""
    monkeypatch.setattr(coach_steps, "MOST_LOOKS", 2)
    context = page(reads="at-pen-up")
    for _ in range(2):
        read(said(ONE, done=False), context)
    with pytest.raises(Refused, match="say that this one is done"):
        read(said(ONE, done=False), context)
    assert read(said(ONE), context).writing is not None


def test_the_same_drawing_again_changes_nothing(page: Callable[..., Context]) -> None:
    """Whose connection broke gets the same answer, and another drawing is refused: the attempt stays."""
    context = page()
    first = read(said(SEVEN), context)
    assert read(said(SEVEN, seconds=99.0), context) == first
    with pytest.raises(Refused, match=r"^The first attempt is done already, perhaps in another window; reload"):
        read(said(ONE), context)
    second = read(said(ONE, 2), context)
    assert read(said(SEVEN), context) == first.model_copy(update={"writing": second.writing})
    assert state(Nothing(), context).writing == second.writing


def test_two_windows_at_once_keep_one_attempt(page: Callable[..., Context]) -> None:
    """Of many different drawings that are done at the same time one is kept, and all others are refused."""
    context = page()
    state(Nothing(), context)

    def done(number: int) -> Read | Refused:
        try:
            return read(said([[(0.2, 0.2, 0.0), (0.3 + number / 50, 0.8, 9.0)]]), context)
        except Refused as error:
            return error

    with ThreadPoolExecutor(8) as threads:
        ends = list(threads.map(done, range(24)))
    [kept] = [end for end in ends if isinstance(end, Read)]
    assert state(Nothing(), context).writing == kept.writing
    assert len(kept.writing.attempts) == 1


def test_trials_and_submissions_are_apart(page: Callable[..., Context]) -> None:
    """Each trial of each submission has its own attempts."""
    read(said(SEVEN), page())
    for other in (page("b.1"), page(submission="ben")):
        found = state(Nothing(), other).writing
        assert found is not None
        assert found.attempts == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (said([]), r"^The canvas is empty; write the 7 first\.$"),
        (said([[(0.5, 0.5, 1.0)] * 6000] * 2), r"^This drawing has 12,000 points, and 10,000 can be read; start again"),
        (said(SEVEN, 2), r"^The first attempt comes before the second; reload the page\.$"),
        (
            said(SEVEN, given=12, device="keyboard"),
            r"^There is no drawing 13 to choose; there are 12\. Reload the page",
        ),
        (said(SEVEN, given=3, device="keyboard"), r"^This is not the drawing that was there to choose"),
    ],
)
def test_what_cannot_be_read_is_refused(page: Callable[..., Context], wrong: ReadInput, sentence: str) -> None:
    """With one sentence, and nothing is kept."""
    context = page()
    with pytest.raises(Refused, match=sentence):
        read(wrong, context)
    found = state(Nothing(), context).writing
    assert found is not None
    assert (found.attempts, found.looks) == ([], 0)


def test_a_page_that_names_no_trial_is_refused(page: Callable[..., Context]) -> None:
    """Whatever it asks for."""
    nameless = replace(page(), trial=None, trial_id=None)
    for ask in (lambda: state(Nothing(), nameless), lambda: read(said(SEVEN), nameless)):
        with pytest.raises(Refused, match=r"did not say which part of the study it belongs to; reload it"):
            ask()


def test_classes_that_the_coach_cannot_read_are_refused(page: Callable[..., Context]) -> None:
    """The participant reads that it is our fault, the log which classes there are; another order is no matter."""
    for context in (page(asked="11"), page(classes=("7", "8"))):
        with pytest.raises(Refused, match=NOT_READY) as refused:
            read(said(SEVEN), context)
        assert "the coach tiny reads the classes 0, 1, 2" in str(refused.value.__cause__)
    reading = read(said(SEVEN), page(classes=tuple(reversed(DIGITS)))).reading
    assert reading.probabilities == [round(one, 6) for one in prepared_coach("tiny").probabilities(render(SEVEN))][::-1]
    assert reading.read == prepared_coach("tiny").read(render(SEVEN))


def test_given_drawings_are_the_same_at_each_reload(page: Callable[..., Context]) -> None:
    """Twelve of the coach's; others in the second attempt and for others; the chosen one is kept as such."""
    context = page()
    first = given(GivenInput(attempt=1), context)
    assert len(first.drawings) == len(first.pictures) == CHOICES
    assert first == given(GivenInput(attempt=1), context)
    assert first.pictures[4] == packed(render(first.drawings[4]))
    second = given(GivenInput(attempt=2), context)
    assert first.drawings != second.drawings
    assert first.drawings != given(GivenInput(attempt=1), page(submission="ben")).drawings
    kept = read(said(first.drawings[4], given=4, device="keyboard"), context)
    assert kept.writing.attempts[0].drawing.given == 4
    read(said(second.drawings[0], 2, given=0, device="keyboard"), context)


def test_without_given_drawings_there_is_nothing_to_choose(page: Callable[..., Context], coaches: Path) -> None:
    """That is said; where there are fewer than twelve, there are as many."""
    write_coach(coaches, "few", drawings=3)
    assert len(given(GivenInput(attempt=1), page(coach="few")).drawings) == 3
    write_coach(coaches, "none", drawings=0)
    with pytest.raises(Refused, match=r"^There are no drawings of a 7 to choose from; please draw it\.$"):
        given(GivenInput(attempt=1), page(coach="none"))


def test_the_preparation_of_the_first_attempt_stays(page: Callable[..., Context], coaches: Path) -> None:
    """A coach that is prepared anew meanwhile reads the trials that begin then."""
    context = page()
    first = read(said(SEVEN), context)
    write_coach(coaches, seed=2)
    again = read(said(SEVEN, 2), context)
    assert again.reading == first.reading
    assert read(said(SEVEN), page("b.1")).reading != first.reading


def test_a_preparation_that_is_gone(page: Callable[..., Context], coaches: Path) -> None:
    """The trial that began with it cannot go on; one that is done is still shown."""
    begun, done = page(), page("b.1")
    for context in (begun, done):
        digest = read(said(SEVEN), context).writing.coach.rpartition(":")[2]
    writing = read(said(ONE, 2), done).writing
    write_coach(coaches, seed=3)
    shutil.rmtree(coaches / "tiny" / digest)
    for ask in (lambda: state(Nothing(), begun), lambda: read(said(ONE, 2), begun)):
        with pytest.raises(Refused, match=NOT_READY):
            ask()
    assert state(Nothing(), done).writing == read(said(ONE, 2), done).writing == writing


def test_a_coach_that_is_not_prepared(page: Callable[..., Context]) -> None:
    """One that prepares itself is said not to be there yet; any other is refused at once: no worker could help."""
    assert state(Nothing(), page(coach="digits")).model_dump() == {"ready": False, "writing": None, "marks": None}
    context = page(coach="nowhere")
    for ask in (lambda: read(said(SEVEN), context), lambda: state(Nothing(), context)):
        with pytest.raises(Refused, match=NOT_READY) as refused:
            ask()
        assert "run: crowdloom coach prepare nowhere" in str(refused.value.__cause__)
    with pytest.raises(Refused, match=NOT_READY):
        state(Nothing(), page(coach="../../etc"))


@pytest.mark.parametrize("damage", [b"", b"{", b'{"asked": "7"}', b"\xff\x00"])
def test_damaged_files_are_said_to_be_so(page: Callable[..., Context], damage: bytes) -> None:
    """Nothing is written over them."""
    context = page()
    read(said(SEVEN), context)
    [file] = context.scratch.glob("writing-*.json")
    file.write_bytes(damage)
    for ask in (lambda: state(Nothing(), context), lambda: read(said(ONE, 2), context)):
        with pytest.raises(Refused, match=DAMAGED):
            ask()
    assert file.read_bytes() == damage


def test_a_reading_takes_milliseconds(page: Callable[..., Context]) -> None:
    """Of processor time, with the proposal, its words and the file."""
    strokes: Strokes = [[(0.2 + 0.006 * (at % 90), 0.2 + 0.002 * at, 8.0 * at) for at in range(300)]]
    read(said(SEVEN, done=False), page("warm.0"))
    began = time.process_time()
    for number in range(10):
        read(said(strokes), page(f"{number}.0"))
    assert (time.process_time() - began) / 10 < 0.1  # a tenth of that on an idle machine
