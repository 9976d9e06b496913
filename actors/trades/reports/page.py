"""A report as a page of HTML: a template, ours or one from the folder of `WARREN_REPORT_TEMPLATES`.

A template is a program that somebody wrote, so it runs in a sandbox, and has the report and nothing else.  Everything
that it shows is escaped; what it does wrong is told with its name and line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from actors.ends import PermanentError
from actors.trades.reports.charts import address
from actors.trades.reports.looks import ENDING, OURS
from actors.trades.reports.report import Report
from actors.trades.reports.wording import shown


def page(report: Report, template: str, folder: str, *, paper: str = "A4") -> str:
    """The whole page, in one piece: it loads nothing."""
    import jinja2  # noqa: PLC0415 - only who writes a page loads it
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    searched = [jinja2.FileSystemLoader(place) for place in ([folder] if folder else [])]
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.ChoiceLoader([*searched, jinja2.FileSystemLoader(OURS)]),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(shown=shown, address=address, soft=soft)
    environment.globals.update(zip=zip)
    try:
        return environment.get_template(f"{template}{ENDING}").render(report=report, paper=paper)
    except jinja2.TemplateError as e:
        raise PermanentError(f"template {template}{_line(e)}: {e}") from e
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, OverflowError) as e:
        raise PermanentError(f"template {template}: {type(e).__name__}: {e}") from e


def soft(text: str) -> str:
    """The text, escaped, with places where a long name may go on in the next line: behind its own signs."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    return Markup(_SIGN.sub(r"\1<wbr>", str(escape(text))) if len(text) > 20 else escape(text))  # noqa: S704 - escaped


_SIGN: Final = re.compile(r"([._/@:-]+(?=\w))")


def _line(error: Any) -> str:
    """Where it is, as far as that can be told."""
    if (number := getattr(error, "lineno", None)) is not None:
        return f", line {number} of {error.name or 'it'}"
    trace, found = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.endswith(ENDING):
            found = f", line {trace.tb_lineno} of {Path(code.co_filename).name}"
        trace = trace.tb_next
    return found
