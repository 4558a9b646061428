"""What the sandbox cannot do, said in a sentence with what to do next."""

from __future__ import annotations


class Wrong(Exception):
    """A call of the control API that cannot be done."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Garbled(Exception):
    """The call that is being answered is not taken and gets nonsense for an answer."""


class NotPossible(Wrong):
    """The phone, or the line, cannot do that as things are."""

    def __init__(self, sentence: str) -> None:
        super().__init__(409, sentence)
