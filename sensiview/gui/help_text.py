"""Docstrings as pages to read: the help of an analysis is written once, where the analysis is."""

from __future__ import annotations

import html
import re

_RULE = re.compile(r"^[-=~]{3,}$")
_BULLET = re.compile(r"^(?:[-*•]|\[?\d+[\].)])\s+")
_CODE = re.compile(r"``(.+?)``|`(.+?)`")


def help_html(title: str, text: str) -> str:
    """Return plain text in numpy style as rich text for a `QTextBrowser`."""
    parts = [f"<h2>{html.escape(title)}</h2>"]
    blocks = re.split(r"\n\s*\n", text.strip())
    for number, block in enumerate(blocks):
        lines = [line.rstrip() for line in block.splitlines()]
        if len(lines) > 1 and _RULE.match(lines[1].strip()):
            parts.append(f"<h3>{_inline(lines[0].strip())}</h3>")
            lines = lines[2:]
        if not lines:
            continue
        if number == 0:
            parts.append(f"<p><b>{_inline(' '.join(line.strip() for line in lines))}</b></p>")
        elif _BULLET.match(lines[0].strip()):
            parts.append("<ul>" + "".join(f"<li>{_inline(entry)}</li>" for entry in _entries(lines)) + "</ul>")
        else:
            parts.append(f"<p>{_inline(' '.join(line.strip() for line in lines))}</p>")
    return "\n".join(parts)


def _entries(lines: list[str]) -> list[str]:
    """Return the entries of a list; lines without a mark go on with the entry before."""
    found: list[str] = []
    for line in lines:
        stripped = line.strip()
        if _BULLET.match(stripped) or not found:
            found.append(_BULLET.sub("", stripped))
        else:
            found[-1] += f" {stripped}"
    return found


def _inline(text: str) -> str:
    return _CODE.sub(lambda m: f"<code>{m.group(1) or m.group(2)}</code>", html.escape(text, quote=False))
