"""Prints a finished report as PDF through an installed Chromium.

The browser sees one file of ours without its script, reaches no network, and has a profile of its own that is removed afterwards. Its exit code is not
believed: a print is good when a whole PDF lies there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from auditor.errors import MissingProgramError, PrintError
from auditor.tools.process import Completed, find_program, run, workspace

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
SECONDS = 180.0
_OPTIONS = (
    "--headless=new", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-breakpad", "--mute-audio",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=<-loopback>",
    "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip
_SCRIPT = re.compile(rb"<script>.*?</script>", re.DOTALL)
"""Taken out before printing: the page's policy then lets nothing run at all."""
_STAMP = re.compile(rb"/(CreationDate|ModDate) \(D:\d{14}")


def find_printer() -> str:
    """Path of the browser that prints.

    Raises:
        MissingProgramError: none is installed.
    """
    for name in PROGRAMS:
        found = find_program(name, Path(sys.executable))
        if found:
            return found
    for place in PLACES:
        if os.access(place, os.X_OK):
            return place
    raise MissingProgramError(
        "a PDF needs Chromium, Chrome or Edge, and none is installed: install one (Debian: apt-get install chromium), or write --html and print that from any browser"
    )


def to_pdf(html: bytes, *, date: str, program: str = "", timeout: float = SECONDS) -> bytes:
    """The report as PDF; `date` (ISO 8601) stands in it instead of the time of printing.

    Raises:
        MissingProgramError: no browser is installed.
        PrintError: the browser did not print.
    """
    program = program or find_printer()
    with workspace(Path.cwd()) as folder:
        page, target = folder / "report.html", folder / "report.pdf"
        page.write_bytes(_SCRIPT.sub(b"", html))
        command = [program, *_OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}", page.as_uri()]
        done = _print(command, folder, timeout)
        data = target.read_bytes() if target.is_file() else b""
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-32:]:
        raise PrintError(f"{Path(program).name} did not print the report: {_why(done)}")
    stamp = date.replace("-", "").encode() + b"000000"
    return _STAMP.sub(lambda match: b"/" + match[1] + b" (D:" + stamp, data)


def _print(command: Sequence[str], folder: Path, timeout: float) -> Completed:
    """Root has no use for the browser's sandbox, and some containers do not allow it; no script runs in the page either way."""
    bare = [command[0], "--no-sandbox", *command[1:]]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return run(bare, cwd=folder, timeout=timeout)
    done = run(command, cwd=folder, timeout=timeout)
    return run(bare, cwd=folder, timeout=timeout) if "sandbox" in done.stderr and not (folder / "report.pdf").is_file() else done


def _why(done: Completed) -> str:
    if not done.exited:
        return str(done.ending.value)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"it ended with {done.code} and said nothing"
