"""The HTML of our mails: one column of tables with styles in place, for light and dark clients of any width.

Owns the frame around a rendered reply: preheader, brand, who writes, footer. Clients strip style sheets and read widths
from tables only, so everything that matters stands in attributes; the sheet in the head adds dark colours and phone
widths where it is read. Not here: the text and its markup (render.py), headers (mail_writing.py).
"""

import html
import re
from dataclasses import dataclass

_FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
_PREHEADER_CHARS = 110
_STYLES = {
    "p": "margin:0 0 14px",
    "ul": "margin:0 0 14px;padding:0 0 0 22px",
    "ol": "margin:0 0 14px;padding:0 0 0 22px",
    "li": "margin:0 0 6px",
    "blockquote": "margin:0 0 14px;padding:0 0 0 12px;border-left:3px solid #c9d1de",
    "pre": f"margin:0 0 14px;padding:12px;background:#f2f4f8;border-radius:6px;font-family:{_MONO};"
    "font-size:13px;line-height:1.5;white-space:pre-wrap;word-break:break-word",
    "code": f"font-family:{_MONO};font-size:13px",
    "a": "color:{accent};text-decoration:underline",
}
_TAG = re.compile(r"<(p|ul|ol|li|blockquote|pre|code|a)(?=[ >])")
_SHEET = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "@media (max-width:620px){.u-out{padding:0!important}.u-card{border-radius:0!important;border-left:0!important;"
    "border-right:0!important}.u-in{padding-left:18px!important;padding-right:18px!important}}"
    "@media (prefers-color-scheme:dark){.u-page{background:#10141b!important}"
    ".u-card{background:#181e27!important;border-color:#2b3442!important}"
    ".u-text,.u-text p,.u-text li{color:#e8ecf2!important}.u-soft{color:#a3adbc!important}"
    ".u-rule{border-color:#2b3442!important}.u-text a,.u-soft a{color:#9db8ff!important}"
    ".u-text pre{background:#0f141b!important;color:#e8ecf2!important}"
    ".u-text blockquote{border-color:#3c4759!important}.u-badge{background:#26324a!important;color:#c6d5ff!important}}"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the text. Plain texts, escaped here; `accent` is a checked `#rrggbb`.

    `by` is who writes; `no_more` (text, link) ends mails of this kind, None where nothing is to be ended.
    """

    language: str
    brand: str
    by: str
    foot: str
    accent: str
    no_more: tuple[str, str] | None = None


def page(body: str, preview: str, frame: Frame) -> str:
    """Return the whole page. `body` is a safe HTML fragment, `preview` the plain text listed under the subject."""
    said = html.escape(" ".join(preview.split())[:_PREHEADER_CHARS])
    accent = frame.accent
    styled = _TAG.sub(lambda m: f'<{m[1]} style="{_STYLES[m[1]].format(accent=accent)}"', body)
    foot = html.escape(frame.foot)
    if frame.no_more:
        text, link = (html.escape(part) for part in frame.no_more)
        foot += f'<br><a href="{link}" style="color:#5a6678;text-decoration:underline">{text}</a>'
    badge = (
        f'<td align="right" style="padding:0;font:12px/18px {_FONT}"><span class="u-badge" style="display:inline-block;'
        f'padding:2px 10px;border-radius:10px;background:#e9effc;color:#2a3f73">{html.escape(frame.by)}</span></td>'
    )
    return (
        f'<!doctype html><html lang="{html.escape(frame.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{html.escape(frame.brand)}</title><style>{_SHEET}</style></head>"
        '<body class="u-page" style="margin:0;padding:0;background:#f4f6fa;-webkit-text-size-adjust:100%">'
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px">'
        f"{said}{'&#8203;&#160;' * 30}</div>"
        '<table role="presentation" class="u-page" width="100%" cellpadding="0" cellspacing="0" border="0"'
        ' style="background:#f4f6fa"><tr><td class="u-out" align="center" style="padding:24px 12px">'
        '<table role="presentation" class="u-card" width="100%" cellpadding="0" cellspacing="0" border="0"'
        ' style="max-width:600px;background:#ffffff;border:1px solid #dfe4ec;border-radius:10px;'
        'border-collapse:separate">'
        f'<tr><td class="u-in" style="padding:18px 28px 14px;border-top:4px solid {accent};'
        'border-radius:10px 10px 0 0">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td class="u-text" style="padding:0;font:600 15px/20px {_FONT};color:#1c2330">'
        f"{html.escape(frame.brand)}</td>"
        f"{badge if frame.by else ''}</tr></table></td></tr>"
        f'<tr><td class="u-in u-text" style="padding:8px 28px 10px;font:15px/1.55 {_FONT};color:#1c2330;'
        f'word-break:break-word">{styled}</td></tr>'
        f'<tr><td class="u-in" style="padding:0 28px 20px"><table role="presentation" width="100%" cellpadding="0"'
        ' cellspacing="0" border="0"><tr><td class="u-rule u-soft" style="padding:12px 0 0;'
        f'border-top:1px solid #dfe4ec;font:12px/1.5 {_FONT};color:#5a6678">{foot}</td></tr></table></td></tr>'
        "</table></td></tr></table></body></html>\n"
    )


def plain(text: str, frame: Frame) -> str:
    """Return the plain twin: the text, and the footer as a signature that clients cut off when they quote."""
    foot = [frame.foot, *([": ".join(frame.no_more)] if frame.no_more else [])]
    return "\n".join([text, "", "-- ", *foot])
