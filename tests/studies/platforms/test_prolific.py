"""A study's life on Prolific, by the adapter against the stand-in over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdloom.studies.design_platforms import ProlificOptions
from crowdloom.studies.errors import PlatformRefusedError, PlatformUnsureError
from tests.conftest import ROOT
from tests.prolific import NotLetInError, StandIn
from tests.prolific.examples import CODES, connect, hand_in, make_notice, paid_design
from tests.prolific.standin import OTHER_PROJECT, PROJECT, WORKSPACE


@pytest.fixture
def prolific(test_data: Path) -> Iterator[StandIn]:
    """A stand-in with nothing on it."""
    with StandIn(test_data) as started:
        yield started


def test_account_says_whose_it_is_and_what_is_left(prolific: StandIn) -> None:
    """The token is checked, and the balance comes in the workspace's currency."""
    info = connect(prolific).info()
    assert (info.name, info.where, str(info.balance)) == (
        "researcher@university.example",
        prolific.url,
        "100000.00 USD",
    )


def test_cost_is_asked_of_prolific(prolific: StandIn) -> None:
    """Ten places at 0.60 cost 6.00, a third of it as fee, and tax on that."""
    assert connect(prolific).ask_cost(60, 10) == 600 + 200 + 40


def test_draft_carries_what_the_design_says(prolific: StandIn) -> None:
    """Placeholders, codes with their actions, filters with the exclusions and the token are in what was created."""
    account = connect(prolific)
    earlier = account.create(make_notice("earlier")).remote_id
    shut_out, own = account.ensure_group("other condition"), account.ensure_group("pets")
    options = ProlificOptions(
        description="Look at pets.",
        devices=("desktop",),
        filters=(
            {"filter_id": "handedness", "selected_values": ["0"]},
            {"filter_id": "participant_group_blocklist", "selected_values": [own]},
        ),
    )
    notice = make_notice(
        design=paid_design(prolific=options),
        url="https://study.example/join/posting-1?batch=3",
        excluded_listings=[earlier],
        excluded_groups=[shut_out],
        group=own,
    )
    listed = account.create(notice)
    study = prolific.study(listed.remote_id)
    assert (listed.state, listed.vendor_state, listed.places) == ("draft", "UNPUBLISHED", 2)
    assert listed.url == f"{prolific.app_url}/researcher/workspaces/studies/{listed.remote_id}"
    assert study["external_study_url"] == (
        "https://study.example/join/posting-1?batch=3&PROLIFIC_PID={{%PROLIFIC_PID%}}"
        "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert (study["name"], study["description"], study["reward"]) == ("Which animal is it?", "Look at pets.", 60)
    assert (study["prolific_id_option"], study["device_compatibility"]) == ("url_parameters", ["desktop"])
    assert (study["estimated_completion_time"], study["maximum_allowed_time"]) == (2, 10)
    assert notice.token in study["internal_name"]
    assert {each["filter_id"]: each["selected_values"] for each in study["filters"]} == {
        "handedness": ["0"],
        "previous_studies_blocklist": [earlier],
        "participant_group_blocklist": [own, shut_out],
    }
    codes = {each["code_type"]: each for each in study["completion_codes"]}
    joins = {"action": "ADD_TO_PARTICIPANT_GROUP", "participant_group": own}
    for kind in ("COMPLETED", "FAILED_ATTENTION_CHECK"):
        assert codes[kind]["actions"] == [{"action": "MANUALLY_REVIEW"}, joins]
    for kind in ("NO_CONSENT", "SCREENED_OUT"):
        assert [each["action"] for each in codes[kind]["actions"]] == ["REQUEST_RETURN"]
    assert {each["code"] for each in study["completion_codes"]} == set(CODES.values())


def test_whole_life(prolific: StandIn) -> None:
    """Draft, publish, pause, resume, take part, drop out, return, review, add places, stop: each as Prolific has it."""
    account = connect(prolific)
    group = account.ensure_group("pets")
    study = account.create(make_notice(places=2, group=group)).remote_id
    assert account.open(study).state == "open"
    assert account.open(study).state == "open", "opening what is open changes nothing"
    assert account.pause(study).state == "paused"
    with pytest.raises(NotLetInError):
        prolific.arrive(study, prolific.add_participant())
    assert account.open(study).state == "open"
    assert len(prolific.calls("publish-study")) == 3

    someone = prolific.add_participant()
    session = prolific.arrive(study, someone, "RESERVED").rsplit("SESSION_ID=", 1)[1]
    assert [each.vendor_state for each in account.submissions(study)] == ["RESERVED"]
    prolific.arrive(study, someone)
    assert [each.state for each in account.submissions(study)] == ["active"]
    prolific.time_out(session)
    done, first = hand_in(prolific, study)
    _, second = hand_in(prolific, study, "no_consent")
    found = {each.id: each for each in account.submissions(study)}
    assert [each.state for each in found.values()] == ["timed_out", "submitted", "submitted"]
    mine = found[first]
    assert (mine.participant, mine.code) == (done, CODES["completed"])
    assert mine.started_at is not None
    assert mine.submitted_at is not None
    assert mine.submitted_at >= mine.started_at
    assert prolific.members(group) == [done], "only who took part is in the group"

    listed = account.listing(study)
    assert (listed.state, listed.vendor_state) == ("open", "AWAITING REVIEW")
    assert account.close(study).state == "closed", "a full study cannot be stopped, and lets nobody in"
    prolific.give_back(second)
    assert account.listing(study).vendor_state == "ACTIVE", "a returned place is free again"
    assert account.set_places(study, 3).places == 3
    assert account.set_places(study, 3).places == 3
    with pytest.raises(PlatformRefusedError, match="lower"):
        account.set_places(study, 2)

    assert account.close(study).vendor_state == "COMPLETED"
    assert account.close(study).state == "closed", "closing what is closed changes nothing"
    with pytest.raises(PlatformRefusedError, match="add places"):
        account.open(study)
    assert account.set_places(study, 4).state == "open", "adding places undoes the stop"


def test_full_study_is_completed_by_review_and_goes_on_with_more_places(prolific: StandIn) -> None:
    """A study that is full and reviewed is completed, and more places open it again."""
    account = connect(prolific)
    study = account.create(make_notice(places=1)).remote_id
    account.open(study)
    _, session = hand_in(prolific, study)
    account.approve([session])
    assert (account.listing(study).state, account.listing(study).vendor_state) == ("closed", "COMPLETED")
    assert account.set_places(study, 2).vendor_state == "ACTIVE"


def test_closing_a_draft_deletes_it(prolific: StandIn) -> None:
    """A draft that was never published is gone after `close`, and closing it again is a success."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    prolific.fault("delete-study", "effect-then-drop")
    assert account.close(study).vendor_state == "DELETED"
    assert prolific.studies() == []
    assert account.close(study).state == "closed"
    with pytest.raises(PlatformRefusedError, match="refused to look at the study"):
        account.listing(study)


def test_participants_of_earlier_studies_and_of_the_group_are_kept_out(prolific: StandIn) -> None:
    """Prolific shows the study to nobody who was in an excluded study or group."""
    account = connect(prolific)
    group = account.ensure_group("other condition")
    earlier = account.create(make_notice("earlier")).remote_id
    account.open(earlier)
    veteran, _ = hand_in(prolific, earlier)
    member = prolific.add_participant()
    account.add_to_group(group, [member])
    study = account.create(make_notice(excluded_listings=[earlier], excluded_groups=[group])).remote_id
    account.open(study)
    with pytest.raises(NotLetInError, match="previous_studies_blocklist"):
        prolific.arrive(study, veteran)
    with pytest.raises(NotLetInError, match="participant_group_blocklist"):
        prolific.arrive(study, member)
    account.remove_from_group(group, [member, veteran])
    assert prolific.arrive(study, member)


def test_more_than_a_page_of_submissions(prolific: StandIn) -> None:
    """All 230 submissions come, each once and in their order, from three pages."""
    account = connect(prolific)
    study = account.create(make_notice(places=230)).remote_id
    account.open(study)
    arrived = [prolific.arrive(study, prolific.add_participant()).rsplit("=", 1)[1] for _ in range(230)]
    assert [each.id for each in account.submissions(study)] == arrived
    assert [call["query"]["page"] for call in prolific.calls("get-submissions")] == ["1", "2", "3"]


def test_pages_that_end_on_a_full_page(prolific: StandIn) -> None:
    """A list of exactly one page ends there."""
    account = connect(prolific)
    study = account.create(make_notice(places=100)).remote_id
    account.open(study)
    for _ in range(100):
        prolific.arrive(study, prolific.add_participant())
    assert len(list(account.submissions(study))) == 100
    assert len(prolific.calls("get-submissions")) == 1


@pytest.mark.parametrize("fault", ["effect-then-500", "effect-then-drop", "effect-then-torn"])
def test_create_finds_what_it_created(prolific: StandIn, fault: str) -> None:
    """A study that was created although the answer was lost is found by its token, among more than one page."""
    account = connect(prolific)
    prolific.fault("create-study", fault)
    study = account.create(make_notice("lost")).remote_id
    for number in range(25):
        account.create(make_notice(f"other-{number}"))
    assert account.create(make_notice("lost")).remote_id == study
    assert len(prolific.studies()) == 26


def test_create_finds_what_was_created_by_a_process_that_was_killed(prolific: StandIn) -> None:
    """SIGKILL between the study's creation and the answer leaves one study, which the next process finds."""
    prolific.fault("create-study", "effect-then-hang")
    code = (
        "import sys; from tests.prolific import Control; from tests.prolific.examples import connect, make_notice; "
        "connect(Control(sys.argv[1])).create(make_notice('killed'))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, prolific.url], cwd=ROOT)
    try:
        prolific.wait_for_hang()
    finally:
        process.kill()
        process.wait()
    prolific.release()
    assert connect(prolific).create(make_notice("killed")).remote_id == prolific.studies()[0]["id"]
    assert len(prolific.studies()) == 1


def test_create_that_may_have_failed_is_unsure(prolific: StandIn) -> None:
    """Where nothing was created and the answer was lost, nobody knows; asking again creates one study."""
    account = connect(prolific)
    prolific.fault("create-study", "500")
    with pytest.raises(PlatformUnsureError, match="nobody can know"):
        account.create(make_notice())
    assert account.create(make_notice()).state == "draft"
    assert len(prolific.studies()) == 1


@pytest.mark.parametrize("fault", ["effect-then-500", "effect-then-drop", "effect-then-torn"])
def test_publishing_is_sent_once_and_read_afterwards(prolific: StandIn, fault: str) -> None:
    """A lost answer to PUBLISH is no second PUBLISH: the state tells that it was done."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    prolific.fault("publish-study", fault)
    assert account.open(study).state == "open"
    assert len(prolific.calls("publish-study")) == 1


def test_places_are_set_once_whatever_happens(prolific: StandIn) -> None:
    """The number of places is no sum: repeating a lost request leaves it as it was asked for."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    account.open(study)
    prolific.fault("update-study", "effect-then-500", 2)
    assert account.set_places(study, 7).places == 7


def test_study_belongs_to_the_project_that_the_design_names(prolific: StandIn) -> None:
    """A project is sent on and searched; one of another workspace, with another currency, is refused."""
    account = connect(prolific)
    design = paid_design(prolific=ProlificOptions(project=PROJECT))
    study = account.create(make_notice(design=design)).remote_id
    assert prolific.study(study)["project"] == PROJECT
    assert account.create(make_notice(design=design)).remote_id == study
    elsewhere = paid_design(prolific=ProlificOptions(project=OTHER_PROJECT))
    with pytest.raises(PlatformRefusedError, match="set PROLIFIC_WORKSPACE"):
        account.create(make_notice("elsewhere", design=elsewhere))
    assert len(prolific.studies()) == 1


def test_group_is_made_once(prolific: StandIn) -> None:
    """A group is found by its name, also when the answer to its creation was lost."""
    account = connect(prolific)
    prolific.fault("create-participant-group", "effect-then-drop")
    group = account.ensure_group("pets")
    assert account.ensure_group("pets") == group
    assert [each["workspace_id"] for each in prolific.records("group")] == [WORKSPACE]


def test_return_is_requested_once(prolific: StandIn) -> None:
    """A participant is asked to return a submission once, however often the call is made or lost."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    account.open(study)
    participant, session = hand_in(prolific, study, "failed_attention_check")
    prolific.fault("request-submission-return", "effect-then-500")
    account.request_return(session, "Withdrew consent")
    account.request_return(session, "Withdrew consent")
    assert [(each["to"], each["body"]) for each in prolific.messages] == [(participant, "Withdrew consent")]


def test_messages_are_about_a_study(prolific: StandIn) -> None:
    """One person and several get the message with its subject; without a study it is refused."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    people = [prolific.add_participant() for _ in range(3)]
    account.message(people[:1], "Thanks", "It helped.", study)
    account.message(people[1:], "Thanks", "It helped.", study)
    assert [each["to"] for each in prolific.messages] == people
    assert {each["body"] for each in prolific.messages} == {"Thanks\n\nIt helped."}
    with pytest.raises(PlatformRefusedError, match="name the listing"):
        account.message(people, "Thanks", "It helped.")
