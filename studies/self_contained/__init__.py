"""A study without our server: one HTML document for a batch, and the answers that come back with an assignment.

The marketplace keeps the document as an HTMLQuestion and hands its answers over as the assignment's XML.
Nobody resumes on another device, nobody is excluded by our server, and nothing is saved before the
participant hands in: the one exception to saving first.
"""

from crowdloom.studies.self_contained.question import batch_items, build_question, question_for_batch
from crowdloom.studies.self_contained.reading import Parsed, ParsedAnswer, parse_assignment

__all__ = [
    "Parsed",
    "ParsedAnswer",
    "batch_items",
    "build_question",
    "parse_assignment",
    "question_for_batch",
]
