"""The error tree: everything that a user, a file or the outside world can do wrong.

Whatever raises one of these has left the store as it was. The message is one
sentence that says what, where and what to do; the command line prints it and
exits with 2, the pages show it with the status given here.
"""


class CrowdloomError(Exception):
    """The root: catch this to catch every error that crowdloom raises on purpose."""

    status = 400


class DesignError(CrowdloomError):
    """A design file is wrong; the message names file, line, field and what was expected."""


class ItemError(CrowdloomError):
    """A stimulus cannot be used: no image, a broken row, a key given twice."""


class StudyError(CrowdloomError):
    """A study does not exist, or is not in a state that allows what was asked."""

    status = 404


class StoreError(CrowdloomError):
    """The database cannot be used: unreachable, full, locked, of another version."""

    status = 503


class ImportFileError(CrowdloomError):
    """A raw file or its mapping cannot be read; nothing of it was stored."""


class PlaceError(CrowdloomError):
    """A person cannot take part: no open place, already taken part, not eligible."""

    status = 409


class TrialError(CrowdloomError):
    """An answer was sent for a trial that is not this submission's to answer now."""

    status = 409


class LiveStepError(CrowdloomError):
    """A live step is unknown, was given bad input (`errors`: one sentence per field), or failed."""

    def __init__(self, message: str, *, status: int = 400, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors or {}


class RecordingError(CrowdloomError):
    """What a participant said cannot be recorded: without consent, too much of it, or a piece that is none."""

    def __init__(self, message: str, *, status: int = 409) -> None:
        super().__init__(message)
        self.status = status


class PlatformError(CrowdloomError):
    """A platform did not do what it was asked; `code` is the vendor's own error code, where there is one."""

    status = 502

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class PlatformRefusedError(PlatformError):
    """The platform refused, and nothing changed there."""


class PlatformUnsureError(PlatformError):
    """Nobody can know whether the platform did it: a time-out, an error of the server, a torn answer."""


class CredentialsError(PlatformError):
    """The credentials of a platform are missing or not accepted."""


class PaymentError(CrowdloomError):
    """Money cannot be paid as asked: above a cap, nothing due, in a state that forbids it."""

    status = 409


class IdentityError(CrowdloomError):
    """Participants' identities cannot be read or erased: a key is missing or wrong, money is still owed."""


class RehearsalError(CrowdloomError):
    """A rehearsal could not be run to its end."""


class OptionError(CrowdloomError):
    """A command was given options that do not fit together or name nothing known."""
