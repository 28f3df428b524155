"""The ways in which a question is not answered."""


class BadInput(ValueError):
    """A user's input is at fault; the message is one line with what was expected and what came."""


class Undecided(Exception):
    """The methods at hand cannot decide; the message is the reason. Never raised to mean "false"."""


class Refused(Exception):
    """The answer is no; the message says to what, and what came nearest."""


class OutOfTime(BaseException):
    """The time limit has passed. Not an Exception, so that no handler on the way takes it for an answer."""
