"""A marketplace behind real HTTP, in a thread of the test's process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from werkzeug.serving import make_server

from crowdloom.studies.marketplace import Market, create_app

EXTERNAL = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd"
HTML = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"


@contextmanager
def running(market: Market, **options: Any) -> Iterator[str]:
    """Serve a marketplace at an address of its own; options as of `create_app`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(market, **options), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def requester(address: str, key: str = "lab", secret: str = "anything", retries: int = 4) -> Any:
    """A boto3 client as any script makes one."""
    return boto3.client(
        "mturk",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": retries, "mode": "standard"}),
    )


def external_question(url: str = "https://lab.example.org/study?a=1&b=2", height: int = 0) -> str:
    """The XML of a page elsewhere."""
    escaped = url.replace("&", "&amp;")
    return (
        f'<ExternalQuestion xmlns="{EXTERNAL}"><ExternalURL>{escaped}</ExternalURL>'
        f"<FrameHeight>{height}</FrameHeight></ExternalQuestion>"
    )


def html_question(html: str, height: int = 0) -> str:
    """The XML of a page of its own."""
    return (
        f'<HTMLQuestion xmlns="{HTML}"><HTMLContent><![CDATA[{html}]]></HTMLContent>'
        f"<FrameHeight>{height}</FrameHeight></HTMLQuestion>"
    )


def hit_values(**changed: Any) -> dict[str, Any]:
    """What a small HIT is created with."""
    values = {
        "Title": "Name the digit",
        "Description": "Look at a digit and say which it is.",
        "Keywords": "image, digit",
        "Reward": "0.50",
        "LifetimeInSeconds": 86_400,
        "AssignmentDurationInSeconds": 1800,
        "AutoApprovalDelayInSeconds": 172_800,
        "MaxAssignments": 2,
        "Question": external_question(),
    }
    return {**values, **changed}


def error_code(client: Any, operation: str, **parameters: Any) -> str:
    """The TurkErrorCode of a call that must be refused, without its prefix."""
    try:
        getattr(client, operation)(**parameters)
    except client.exceptions.RequestError as error:
        code: str = error.response["TurkErrorCode"]
        return code.removeprefix("AWS.MechanicalTurk.")
    raise AssertionError(f"{operation} was not refused")
