"""Which part of a mail is new. Every text is written for this test; the shapes are those of clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels._shared.mail_html import html_to_text
from channels._shared.mail_reply import cut_reply
from tests.channels.mail_clients import ANNOUNCED

OLD = "> Open the board.\n>\n> Usher"


@pytest.mark.parametrize(
    "attribution",
    [
        "On Wed, Mar 4, 2026 at 12:01 PM Usher via Lumen <support@lumen.example> wrote:",
        "On Wed, Mar 4, 2026 at 12:01 PM Usher via Lumen Boards <\nsupport@lumen.example> wrote:",
        "On Wed, 4 Mar 2026 at 12:01, Somebody with a very long name indeed, of a firm\n"
        "<support@lumen.example> wrote:",
        "On 4 Mar 2026, at 12:01, Usher wrote:",
        "On 03/04/2026 12:01 PM, Usher wrote:",
        "Am 04.03.2026 um 12:01 schrieb Usher <support@lumen.example>:",
        "Am Mi., 4. März 2026 um 12:01 Uhr schrieb Usher <\nsupport@lumen.example>:",
        "Le mer. 4 mars 2026 à 12:01, Usher <support@lumen.example> a écrit :",
        "El mié, 4 mar 2026 a las 12:01, Usher (<support@lumen.example>) escribió:",
        "Il giorno mer 4 mar 2026 alle ore 12:01 Usher <support@lumen.example> ha scritto:",
        "Em qua., 4 de mar. de 2026 às 12:01, Usher <support@lumen.example> escreveu:",
        "Op wo 4 mrt 2026 om 12:01 schreef Usher <support@lumen.example>:",
        "Den ons 4 mars 2026 kl 12:01 skrev Usher <support@lumen.example>:",
        "W dniu 4.03.2026 o 12:01, Usher pisze:",
        "śr., 4 mar 2026 o 12:01 Usher <support@lumen.example> napisał(a):",
        "4 мар. 2026 г., в 12:01, Usher <support@lumen.example> написал(а):",
        "2026年3月4日(水) 12:01 Usher <support@lumen.example>:",
        "2026/3/4 Usher <support@lumen.example>",
    ],
)
def test_history_under_an_attribution(attribution: str) -> None:
    cut = cut_reply(f"And on Pro?\n\n{attribution}\n\n{OLD}\n")
    assert cut.text == "And on Pro?"
    assert "Open the board." in cut.history


@pytest.mark.parametrize(
    "block",
    [
        "From: Usher <support@lumen.example>\nSent: Wednesday, March 4, 2026 12:01 PM\n"
        "To: Ana\nSubject: Re: Export",
        "________________________________\nFrom: Usher\nSent: Wednesday\nTo: Ana\nSubject: Export",
        "*From:* Usher [mailto:support@lumen.example]\n*Sent:* Wednesday\n*To:* Ana",
        "Von: Usher <support@lumen.example>\nGesendet: Mittwoch, 4. März 2026 12:01\nAn: Ana\n"
        "Betreff: AW: Export",
        "De : Usher <support@lumen.example>\nEnvoyé : mercredi 4 mars 2026 12:01\nÀ : Ana\n"
        "Objet : RE: Export",
        "De: Usher <support@lumen.example>\nEnviado el: miércoles, 4 de marzo de 2026 12:01\n"
        "Para: Ana\nAsunto: RE: Exportar",
        "Date: Wed, 4 Mar 2026 12:01:00 +0000\nFrom: support@lumen.example\nTo: ana@acme.example",
        "-----Original Message-----\nFrom: Usher",
        "-----Ursprüngliche Nachricht-----\nVon: Usher",
        "----- Mensaje original -----\nDe: Usher",
        "发件人: Usher\n发送时间: 2026年3月4日\n收件人: Ana",
    ],
)
def test_history_under_a_header_block(block: str) -> None:
    cut = cut_reply(f"And on Pro?\n\n{block}\n\nOpen the board.\n")
    assert cut.text == "And on Pro?"
    assert cut.history.endswith("Open the board.")


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("On 03/04/2026 12:01 PM, Usher wrote:\n> Which plan?\nPro.", "Pro."),
        (
            "On 03/04/2026 12:01 PM, Usher wrote:\n> Which plan?\nPro.\n\n> Browser?\nFirefox.",
            "Pro.\n\nFirefox.",
        ),
        (
            "See below.\n\nOn 03/04/2026 12:01 PM, Usher wrote:\n> Plan?\n\nPro.",
            "See below.\n\nPro.",
        ),
        ("> Which plan?\n> Please tell.\n\nPro.", "Pro."),
        (
            "Yes.\n\nOn 03/04/2026 12:01 PM, Usher wrote:\n"
            "> A long line that the client of the sender has wrapped in the middle of a\nsentence.",
            "Yes.",
        ),
    ],
)
def test_answers_under_and_between_quotes(text: str, new: str) -> None:
    assert cut_reply(text).text == new


@pytest.mark.parametrize(
    "text",
    [
        "I fly From: Madrid\nTo: Paris\nCan I change it?",
        "Date: Wednesday\nTime: 7:00\nAddress: 1 Fox St\n\nPlease confirm.",
        "I ran this:\n> usher serve\nand it stopped.",
        "On Monday at 10:00 your colleague wrote that it would be fixed. Is it?",
        "--- Enter feedback below ---\n\nAll good.",
        "Steps:\n- open\n- close\n\nThanks,\nAna",
        "The log says: 2026-03-04 12:01 failed\nWhat now?",
        "My address is ana@acme.example: please use that.",
    ],
)
def test_what_only_looks_like_history_stays(text: str) -> None:
    cut = cut_reply(text)
    assert cut.text == text
    assert cut.history == ""


@pytest.mark.parametrize(
    ("signature", "kept"),
    [
        ("-- \nAna Ruiz\nAcme\n+1 555 0100", False),
        ("--\nAna", False),
        ("Sent from my iPhone", False),
        ("Sent from Outlook for Android", False),
        ("Get Outlook for iOS<https://aka.example>", False),
        ("Enviado desde mi iPhone", False),
        ("Von meinem iPhone gesendet", False),
        ("Envoyé de mon iPhone", False),
        ("Best regards,\nAna", True),
    ],
)
def test_signature_is_kept_apart_only_when_it_says_so(signature: str, kept: bool) -> None:
    cut = cut_reply(f"Hello there.\n\n{signature}\n\nOn 03/04/2026 12:01, Usher wrote:\n{OLD}")
    assert (cut.text, cut.signature) == (
        (f"Hello there.\n\n{signature}", "")
        if kept
        else ("Hello there.", signature.replace("-- ", "--"))
    )


def test_forward_keeps_what_was_forwarded() -> None:
    text = "What is this?\n\n---------- Forwarded message ---------\nFrom: a@b.example\n\nError 17."
    assert cut_reply(text) == cut_reply(text, is_forward=True)
    assert cut_reply(text).is_forward
    assert "Error 17." in cut_reply(text).text
    outlook = "See this.\n\nFrom: A\nSent: today\nTo: B\nSubject: C\n\nError 17."
    assert "Error 17." in cut_reply(outlook, is_forward=True).text
    assert cut_reply(outlook).text == "See this."


def test_an_empty_reply_is_empty_and_a_first_mail_never_is() -> None:
    text = f"On 03/04/2026 12:01 PM, Usher wrote:\n{OLD}"
    assert cut_reply(text).text == ""
    assert "Open the board." in cut_reply(text, is_reply=False).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
        ("One<br>\n<br>\nTwo<br><div>Three</div>", "One\n\nTwo\nThree"),
        ("<ul><li>a</li><li>b <b>c</b></li></ul>", "- a\n- b c"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("a<script>x()</script><style>y{}</style><!-- z -->b", "ab"),
        ("seen<span style='display:none'>planted</span><p hidden>planted</p>", "seen"),
        ("seen<span style='font-size:0px'>planted</span>", "seen"),
        ("<blockquote>our own emphasis</blockquote>after", "our own emphasis\nafter"),
        ("a &lt;b&gt; &amp; c&nbsp;d", "a <b> & c d"),
        ("<p>x<p>y", "x\n\ny"),
        ("", ""),
        ("<" * 50, "<" * 50),
    ],
)
def test_html_as_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "history",
    [
        '<div class="gmail_quote">On Wed, Mar 4, 2026 at 12:01 Usher &lt;a@b.example&gt; wrote:<br>'
        "<blockquote>Old.</blockquote></div>",
        '<div class="moz-cite-prefix">On 04.03.2026 12:01, Usher wrote:<br></div>'
        '<blockquote type="cite">Old.</blockquote>',
        '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Usher<br>'
        "<b>Sent:</b> Wednesday<br><b>To:</b> Ana</div><div>Old.</div>",
        "<br>Wed, 4 Mar 2026 12:01:00 +0000 от Usher &lt;a@b.example&gt;:<br>"
        "<blockquote>Old.</blockquote>",
        '<div class="yahoo_quoted"><div>On Wednesday, Usher wrote:</div><div>Old.</div></div>',
        "<div><b>From:</b> Usher<br><b>Sent:</b> Wednesday<br><b>Subject:</b> x</div><p>Old.</p>",
    ],
)
def test_history_in_html(history: str) -> None:
    text = html_to_text(f"<html><body><div>New.</div>{history}</body></html>")
    assert cut_reply(text).text == "New."


def test_deep_and_huge_html_is_read() -> None:
    deep = "<div>" * 5_000 + "words" + "</div>" * 5_000
    assert html_to_text(deep) == "words"
    assert html_to_text("<blockquote>" * 400 + "words").endswith("words")


@given(st.text(max_size=2_000))
def test_any_text_is_cut_without_a_fault(text: str) -> None:
    cut = cut_reply(text)
    assert len(cut.text) <= len(text)
    html_to_text(text)


@pytest.mark.parametrize("line", ["On " * 20_000, ">" * 60_000, "From: " * 9_000, "a@b.c " * 9_000])
def test_hostile_lines_cost_little(line: str) -> None:
    assert cut_reply(f"New.\n{line}\n").text.startswith("New.")


@pytest.mark.parametrize("quote", [OLD, "Open the board.\n\nUsher"], ids=["marked", "bare"])
@pytest.mark.parametrize("client", ANNOUNCED)
def test_history_of_every_client_and_language(client: str, quote: str) -> None:
    cut = cut_reply(f"And on Pro?\n\nThanks,\nAna\n\n{ANNOUNCED[client]}\n\n{quote}\n")
    assert cut.text == "And on Pro?\n\nThanks,\nAna"
    assert "Open the board." in cut.history


@pytest.mark.parametrize("client", [c for c in ANNOUNCED if not c.startswith("proton_")])
def test_an_answer_below_the_quote_of_every_client(client: str) -> None:
    cut = cut_reply(f"{ANNOUNCED[client]}\n> Open the board.\n> Which plan?\n\nPro.\n")
    assert cut.text == "Pro."
