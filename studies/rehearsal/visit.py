"""One simulated person's way through a study, page by page, by what the pages show."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from crowdloom.studies.background import simulate_background
from crowdloom.studies.design import Design
from crowdloom.studies.errors import RehearsalError, TrialError
from crowdloom.studies.participation import Designs, position_of, trial_at
from crowdloom.studies.rehearsal.browser import Browser, Fields, Form, Page
from crowdloom.studies.rehearsal.live_calls import LiveCalls
from crowdloom.studies.rehearsal.people import COMES_BACK, LEAVES_BY_BUTTON, SECONDS_SIGMA, WRONG_CHECK
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import LiveTask, Person, Trial

End = Literal["completed", "refused", "left", "vanished", "failed_check", "turned_away"]
"""How a visit ended; turned_away: there was no place for them."""

_REMARKS = ("Fine.", "The images were small.", "Clear and quick.", "Some were hard to tell apart.")


@dataclass(frozen=True)
class Briefing:
    """What the rehearsal knows of the study; people know the answers to the comprehension check from it."""

    design: Design
    designs: Designs
    """Of the rehearsal's own store: what stands behind a page, so that pages can be checked against it."""
    truths: Mapping[str, Mapping[str, float]]
    """The true label of each item, by the token that its trials carry."""
    restless: float
    check_worker: Callable[[], None] = lambda: None
    """Raises where the worker for live steps is gone."""


class Visit:
    """A person who takes part, now and perhaps again later; not to be used from two threads at once.

    `submissions` is how many they have in mind, where the design lets them come again with other items.
    """

    def __init__(
        self, person: Person, link: str, briefing: Briefing, browser: Browser, seed: str, submissions: int = 1
    ) -> None:
        self.person = person
        self.comes_back = False
        self.answers = 0
        self.completed: list[str] = []
        """The tokens of the submissions that they have completed."""
        self._wanted = submissions
        self._link = link
        self._address = link
        self._briefing = briefing
        self._browser = browser
        self._rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self._checks = 0

    @property
    def token(self) -> str | None:
        """The token of their submission's pages, once they have begun."""
        before, _, token = self._address.rpartition("/take/")
        return token if before else None

    @property
    def _is_live(self) -> bool:
        return isinstance(TASKS[self._briefing.design.task], LiveTask)

    @property
    def wants_more(self) -> bool:
        """Whether they have done fewer submissions than they have in mind."""
        return len(self.completed) < self._wanted

    def come(self) -> End:
        """Open the link, or the page where they stopped, and go on until the visit ends.

        Who has completed a submission and comes again is turned away where there is none left for them.
        """
        self.comes_back = False
        self._checks = 0
        if self.token in self.completed:
            self._address = self._link
        page = self._browser.get(self._address)
        if page.form("/return"):
            page = self._send(page, "/return", {})
        while (end := self._end(page)) is None:
            if _questions(page) is None and self._rng.random() < self.person.drop_out:
                return self._drop_out(page)
            page = self._go_on(page)
        return end

    def _end(self, page: Page) -> End | None:
        """How the visit ends with this page, if it does."""
        if page.path.rpartition("/")[0].endswith("/take"):
            self._address = page.url.partition("?")[0]
        if page.status == 409:
            return "turned_away"
        if page.receipt():
            return self._receive()
        if page.form("") is None and page.follow() is None:
            if self._checks:
                return "failed_check"
            raise RehearsalError(f"the page “{page.heading}” at {page.path} leads nowhere")
        return None

    def _receive(self) -> End:
        """There is a receipt: of what they have just completed, or of what they had completed before."""
        if self.token is None:
            raise RehearsalError("the page with the receipt is not one of a submission")
        if self.token in self.completed:
            return "turned_away"
        self.completed.append(self.token)
        return "completed"

    def _go_on(self, page: Page) -> Page:
        """Do what the page asks for; the page that comes next."""
        if form := page.form("/answer"):
            return self._answer(form, page)
        if form := page.form("/check"):
            self._checks += 1
            return self._browser.post(form.url, form.filled(self._check()))
        if form := page.form("/background") or _questions(page):
            return self._browser.post(form.url, form.filled(self._say(form)))
        if page.form("/instructions"):
            return self._send(page, "/instructions", {})
        if form := _consent(page):
            statements = {"statement": form.offers("statement")}
            return self._browser.post(form.url, form.filled(statements, button="agree"))
        if link := page.follow():
            return self._browser.get(link)
        raise RehearsalError(f"the page “{page.heading}” at {page.path} has a form that nobody expects")

    def _send(self, page: Page, action: str, values: Fields) -> Page:
        form = page.form(action)
        if form is None:
            raise RehearsalError(f"the page “{page.heading}” at {page.path} has no form for {action}")
        return self._browser.post(form.url, form.filled(values))

    def _drop_out(self, page: Page) -> End:
        if (consent := _consent(page)) and self.completed:
            self._wanted = len(self.completed)  # enough of it: they just do not begin another
            return "completed"
        if consent:
            self._browser.post(consent.url, consent.filled({}, button="refuse"))
            return "refused"
        self.comes_back = self._rng.random() < COMES_BACK
        if self._rng.random() < LEAVES_BY_BUTTON:
            self._send(self._browser.get(f"{self._address}/leave"), "/leave", {})
            return "left"
        return "vanished"

    def _check(self) -> Fields:
        """Right, but for a first slip; the careless guess."""
        questions = self._briefing.design.comprehension.questions if self._briefing.design.comprehension else ()
        careless = self._rng.random() < self.person.careless
        slips = self._checks == 1 and self._rng.random() < WRONG_CHECK
        return {
            f"question-{number}": [
                self._rng.choice(question.options)
                if careless
                else next(option for option in question.options if (option == question.correct) != slips)
            ]
            for number, question in enumerate(questions)
        }

    def _say(self, form: Form) -> Fields:
        """What they say to the background questions, to a questionnaire, whose form has a number, or at the end."""
        design = self._briefing.design
        if form.url.endswith("/background"):
            return simulate_background(design.background, self._rng)
        if number := form.value("number"):
            return design.questionnaires[int(number)].asked.simulate(self.person, self._rng)
        return {
            f"question-{number}": [self._rng.choice(question.options or _REMARKS)]
            for number, question in enumerate(design.debrief)
        }

    def _answer(self, form: Form, page: Page) -> Page:
        """Judge the item and send the form; now and then as restless people do."""
        trial = self._look(form, page)
        habit = self._rng.choice(("reload", "twice", "second tab"))
        if self._rng.random() >= self._briefing.restless:
            habit = "none"
        if habit in ("reload", "second tab"):
            again = self._browser.get(self._address).form("/answer")
            if again is None or again.value("trial") != form.value("trial"):
                raise RehearsalError("after a reload the page does not show the trial that it showed before")
        judged = form.filled(self._judge(form, trial))
        if habit == "second tab":
            # The tab that stays behind then sends another answer to a trial that has one: the first stands.
            self._browser.post(form.url, judged)
            other = judged if self._is_live else form.filled(self._judge(form, trial))  # its steps are over with it
            stale = {**other, "timing": judged["timing"]}
            page = self._browser.post(form.url, stale)
        elif habit == "twice":
            page = self._browser.post_twice(form.url, judged)
        else:
            page = self._browser.post(form.url, judged)
        if page.status == 422:
            raise RehearsalError(f"a simulated answer was refused: {page.says}")
        self.answers += 1
        return page

    def _look(self, form: Form, page: Page) -> Trial:
        """The trial that the page shows, as the server makes it; what can be seen of it has to agree."""
        designs, classes = self._briefing.designs, self._briefing.design.classes
        try:
            submission = designs.assigned(self.token or "")
            _, trial = trial_at(designs, submission, position_of(designs, submission, form.value("trial")))
        except TrialError as error:
            raise RehearsalError(f"the page “{page.heading}” shows a trial that is not this submission's") from error
        if page.image() not in (trial.image, None):
            raise RehearsalError(f"the page shows an image ({page.image()}) that is not its item's ({trial.image})")
        pictures = page.pictures()
        own = {trial.image, *(view.image for view in trial.views.values())} - {None}
        if not set(pictures) <= own or (own and not pictures):
            raise RehearsalError(f"the page shows pictures ({', '.join(pictures) or 'none'}) that are not its item's")
        for picture in pictures:
            self._browser.look_at(picture)
        offered = list(dict.fromkeys(value for name in form.names() for value in form.offers(name) if value in classes))
        if len(offered) == len(classes) and offered != list(trial.class_order):
            raise RehearsalError("the page offers the classes in another order than this submission's")
        return trial

    def _judge(self, form: Form, trial: Trial) -> Fields:
        """The fields of an answer to this trial, and the time that it took."""
        design = self._briefing.design
        task, trial_id = TASKS[design.task], form.value("trial")
        if isinstance(task, LiveTask):
            calls = LiveCalls(self._browser, self._address, trial_id, self._briefing.check_worker)
            fields = task.simulate_live(calls, self.person, trial, self._rng)
        else:
            truth = self._briefing.truths[trial_id.rpartition(".")[0]]
            fields = task.simulate(truth, self.person, trial, self._rng)
        seconds = self.person.seconds * self._rng.lognormvariate(0, SECONDS_SIGMA)
        rt_ms = round(1000 * max(seconds, design.trials.minimum_seconds), 1)
        timing = {"rt_ms": rt_ms, "first_input_ms": round(rt_ms * self._rng.uniform(0.2, 0.8), 1), "focus": []}
        return {**fields, "timing": [json.dumps(timing)]}


def _questions(page: Page) -> Form | None:
    """The form of what comes after trials, where nobody leaves: after the last one the submission is complete."""
    return page.form("/questionnaire") or page.form("/debrief")


def _consent(page: Page) -> Form | None:
    """The consent form, whose address is that of the page."""
    return page.form(f"/join/{page.path.rpartition('/')[2]}")
