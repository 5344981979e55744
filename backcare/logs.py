"""What may be written to a log."""

import logging
import re

# The links we mail carry a secret in their address, and a confirmation's says which enquiry it is of.
SECRET_IN_ADDRESS = re.compile(r"(/report/summary/|/report/stop/|/request/|/(?:consultation|question)/sent/)[^/\s\"']+")


def without_secrets(text: str) -> str:
    return SECRET_IN_ADDRESS.sub(r"\1…", text)


class WithoutRequestValues(logging.Filter):
    """Drops the parts of a record that can carry what a person typed.

    Django puts the query string nowhere in its messages, but an exception's text can hold a posted value
    (a database error quotes the row). So a traceback keeps its places and classes and loses its values.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:  # also when another handler has already written the whole of it into exc_text
            record.exc_text = self.without_values(record.exc_info)
        record.exc_info = None
        message = record.getMessage()
        if SECRET_IN_ADDRESS.search(message):
            record.msg, record.args = without_secrets(message), ()
        return True

    @staticmethod
    def without_values(exc_info) -> str:
        kind, error, trace = exc_info
        lines = []
        while trace is not None:
            code = trace.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next
        chain = []
        while error is not None and len(chain) < 8:
            chain.append(type(error).__name__)
            error = error.__cause__ or error.__context__
        return "\n".join(["Traceback (values left out):", *lines, " from ".join(chain) or str(kind)])
