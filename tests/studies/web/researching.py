"""A researcher without JavaScript: opens the pages by the one-time link, and presses the buttons that are there."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from flask import Flask
from sqlalchemy import select

from crowdloom.studies.access import new_access
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Study


class Form:
    """A form with its hidden and filled-in fields, and the texts of its buttons."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, Any] = {}
        self.buttons: list[str] = []


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("method") == "post":
            self._open = Form(str(given["action"]))
            self.found.append(self._open)
        elif tag == "input" and self._open and given.get("type") != "checkbox":
            self._open.fields[str(given["name"])] = given.get("value") or ""
        elif tag == "button" and self._open:
            self._in_button = True
            self._open.buttons.append("")

    def handle_data(self, data: str) -> None:
        if self._in_button and self._open:
            self._open.buttons[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._in_button = False
        elif tag == "form":
            self._open = None


class Researcher:
    """The pages of one study."""

    def __init__(self, app: Flask, store: Store, study: str) -> None:
        self.client = app.test_client()
        with store.write() as connection:
            access = new_access(connection)
            self.token = connection.execute(select(Study.token).where(Study.name == study)).scalar_one()
        assert self.client.get(f"/researcher/enter/{access}").status_code == 303
        self.base = f"/researcher/study/{self.token}"

    def page(self, path: str = "") -> str:
        """A page's text; it must be there."""
        answer = self.client.get(path if path.startswith("/") else f"{self.base}/{path}".rstrip("/"))
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self, path: str, button: str) -> Form:
        """The form of a page whose button begins with these words."""
        forms = _Forms()
        forms.feed(self.page(path))
        found = [form for form in forms.found if any(said.strip().startswith(button) for said in form.buttons)]
        assert found, f"no button {button!r} but {[form.buttons for form in forms.found]}"
        return found[0]

    def send(self, form: Form, **changes: Any) -> Any:
        """Send a form, with changes; `None` leaves a field out."""
        fields = {name: value for name, value in (form.fields | changes).items() if value is not None}
        return self.client.post(form.action, data=fields)

    def press(self, path: str, button: str, **changes: Any) -> str:
        """Press a button, which must be answered by a redirect; where that leads."""
        answer = self.send(self.form(path, button), **changes)
        assert answer.status_code == 303, answer.text
        return str(answer.location)
