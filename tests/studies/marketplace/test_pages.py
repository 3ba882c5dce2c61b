"""Pages of lists: every row once, whatever is added between two pages."""

from __future__ import annotations

import pytest

from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import error_code


def test_botocore_pages_through(both: Running) -> None:
    """botocore's own paginators find each HIT and each assignment once, in pages of any size."""
    hits = [both.hit(MaxAssignments=9) for _ in range(7)]
    for size in (1, 3, 7, 100):
        pages = both.client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": size})
        assert [hit["HITId"] for page in pages for hit in page["HITs"]] == hits[::-1]
    given = [both.submitted(hits[0])[0] for _ in range(7)]
    pages = both.client.get_paginator("list_assignments_for_hit").paginate(
        HITId=hits[0], AssignmentStatuses=["Submitted"], PaginationConfig={"PageSize": 2}
    )
    found = [[one["AssignmentId"] for one in page["Assignments"]] for page in pages]
    assert [len(page) for page in found] == [2, 2, 2, 1, 0]
    assert [one for page in found for one in page] == given


def test_what_comes_meanwhile_moves_nothing(shop: Running) -> None:
    """A HIT that is made between two pages makes no other one come twice or not at all."""
    hits = [shop.hit() for _ in range(4)]
    first = shop.client.list_hits(MaxResults=2)
    shop.hit()
    second = shop.client.list_hits(MaxResults=2, NextToken=first["NextToken"])
    assert [hit["HITId"] for hit in first["HITs"] + second["HITs"]] == hits[::-1]
    last = shop.client.list_hits(MaxResults=2, NextToken=second["NextToken"])
    assert (last["HITs"], "NextToken" in last) == ([], False)


def test_ten_where_nothing_is_said(shop: Running) -> None:
    """Without MaxResults a page has 10 rows, as MTurk's had."""
    for _ in range(11):
        shop.hit()
    page = shop.client.list_hits()
    assert (page["NumResults"], len(page["HITs"])) == (10, 10)


@pytest.mark.parametrize("token", ["nonsense", "MTp4", "%%%", "é"])
def test_a_token_that_is_none(shop: Running, token: str) -> None:
    """What we did not give is refused, and so is a token for another question."""
    assert error_code(shop.client, "list_hits", NextToken=token) == "InvalidNextToken"


def test_a_token_is_for_its_list(shop: Running) -> None:
    """A token of one HIT's assignments does not open those of another."""
    one, other = shop.hit(MaxAssignments=2), shop.hit(MaxAssignments=2)
    for _ in range(2):
        shop.submitted(one)
    token = shop.client.list_assignments_for_hit(HITId=one, MaxResults=1)["NextToken"]
    assert shop.client.list_assignments_for_hit(HITId=one, MaxResults=1, NextToken=token)["NumResults"] == 1
    assert error_code(shop.client, "list_assignments_for_hit", HITId=other, NextToken=token) == "InvalidNextToken"
