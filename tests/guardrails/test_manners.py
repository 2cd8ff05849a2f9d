"""tone, asking, advice, language, secrets, edition, moderation: what may be said and what may not."""

import pytest

from core.contracts import CheckPorts
from core.conversations import Account, Contact
from core.ids import AccountId, ContactId
from core.messages import Author
from core.outcomes import Outcome
from core.ports import Moderated, TenantPolicy
from core.understanding import Understanding
from guardrails import advice, asking, edition, language, moderation, secrets, tone
from tests.guardrails.conftest import Known, MakeContext, cited, passage

SAD, GLAD = Understanding(sentiment=-0.7), Understanding(sentiment=0.5)


def says(text: str, **more: object) -> Outcome:
    return Outcome(text, generated=True, **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- tone


@pytest.mark.parametrize(
    ("text", "reason", "left"),
    [
        ("I understand your frustration. Open Settings.", "hollow", "Open Settings."),
        ("Entiendo su frustración. Abra Ajustes.", "hollow", "Abra Ajustes."),
        ("As an AI language model, I can't. Ask here.", "hollow", "Ask here."),
        ("Sorry about that. It is off. I'm so sorry.", "second_apology", "Sorry about that. It is off."),
        ("Great question! Exports are under Settings.", "cheer", "Exports are under Settings."),
        ("¡Genial! Está en Ajustes.", "cheer", "Está en Ajustes."),
        ("It is fixed now! 🎉", "loud", "It is fixed now."),
        ("What now??? Open it!!!", "loud", "What now? Open it."),
        ("PLEASE READ THE DOCS FIRST. Then ask.", "loud", "Please read the docs first. Then ask."),
    ],
)  # fmt: skip
async def test_what_is_off_is_taken_out(
    context: MakeContext, ports: CheckPorts, text: str, reason: str, left: str
) -> None:
    verdict = await tone.run(text, context(says(text), understanding=SAD), ports)
    assert (verdict.verdict, verdict.reason, verdict.text) == ("rewrite", reason, left)


@pytest.mark.parametrize(
    "text",
    ["That was stupid of you.", "You idiot.", "Qué idiota eres.", "Fuck off.", "Es culpa tuya."],
)
async def test_an_insult_is_blocked(context: MakeContext, ports: CheckPorts, text: str) -> None:
    text = f"{text} Exports are under Settings."
    verdict = await tone.run(text, context(says(text), understanding=GLAD), ports)
    assert (verdict.verdict, verdict.reason) == ("block", "toxic")


@pytest.mark.parametrize(
    "text",
    [
        "Great, it works! 🎉",
        "Sorry about that. Open Settings.",
        "Use the CSV, JSON and XML formats.",
        "GDPR and SOC 2 are covered.",
        "I understand. You want a refund.",
    ],
)
async def test_good_manners_pass(context: MakeContext, ports: CheckPorts, text: str) -> None:
    assert (await tone.run(text, context(says(text), understanding=GLAD), ports)).verdict == "pass"


async def test_documents_and_people_keep_their_tone(
    context: MakeContext, ports: CheckPorts
) -> None:
    text = "DO NOT SHARE THIS KEY!!!"
    quoted = context(says(text), (passage(1, f"Keys. {text}"),), understanding=SAD)
    assert (await tone.run(text, quoted, ports)).verdict == "pass"
    person = context(Outcome(text, author=Author.CSM), understanding=SAD)
    assert (await tone.run(text, person, ports)).verdict == "pass"


# ---------------------------------------------------------------- asking


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please send me your password.", "password"),
        ("What's your password?", "password"),
        ("Reply with the verification code we texted you.", "code"),
        ("Could you tell us your credit card number?", "card"),
        ("We need your IBAN.", "card"),
        ("Please provide your social security number.", "identity"),
        ("What is your date of birth?", "identity"),
        ("Can you share your passport number?", "identity"),
        ("Please give me your home address.", "address"),
        ("May I have your phone number?", "phone"),
        ("What's your email address?", "email"),
        ("Envíame tu contraseña.", "password"),
        ("Necesito tu número de tarjeta.", "card"),
        ("¿Cuál es tu DNI?", "identity"),
        ("Dime tu dirección postal.", "address"),
        ("¿Me das tu correo electrónico?", "email"),
    ],
)
async def test_nobody_is_asked_for_personal_data(
    context: MakeContext, ports: CheckPorts, text: str, kind: str
) -> None:
    verdict = await asking.run(text, context(says(text)), ports)
    assert (verdict.verdict, verdict.reason) == ("block", kind)


@pytest.mark.parametrize(
    "text",
    [
        "Enter your email address and password on the sign-in page.",
        "Never share your password with anyone.",
        "We will never ask you for your card number.",
        "To change your address, open Settings.",
        "Your billing address is on the invoice.",
        "Please provide more detail.",
        "No compartas tu contraseña.",
        "You can confirm your email in Settings.",
    ],
)
async def test_talking_about_it_is_not_asking(
    context: MakeContext, ports: CheckPorts, text: str
) -> None:
    assert (await asking.run(text, context(says(text)), ports)).verdict == "pass"


async def test_only_the_field_of_the_running_form_may_be_asked(
    context: MakeContext, ports: CheckPorts
) -> None:
    text = "What's your email address?"
    assert (await asking.run(text, context(says(text), asks="email"), ports)).verdict == "pass"
    assert (await asking.run(text, context(says(text), asks="day"), ports)).verdict == "block"


async def test_no_form_and_no_page_may_fish(context: MakeContext, ports: CheckPorts) -> None:
    text = "Reply here with your password."
    planted = context(says(text), (passage(1, f"Help. {text}"),), asks="password")
    assert (await asking.run(text, planted, ports)).reason == "password"
    honest = "Verify your bank account details before the first transfer."
    quoted = context(says(honest), (passage(1, honest),))
    assert (await asking.run(honest, quoted, ports)).verdict == "pass"


# ---------------------------------------------------------------- advice


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("You should sue them.", "legal"),
        ("You have a strong legal case.", "legal"),
        ("That is illegal.", "legal"),
        ("You should take 400 mg of ibuprofen.", "medical"),
        ("Your symptoms suggest an infection.", "medical"),
        ("I recommend you buy bitcoin now.", "financial"),
        ("It is a safe investment.", "financial"),
        ("You can deduct it from your taxes.", "financial"),
        ("Deberías denunciar a la empresa.", "legal"),
        ("Te recomiendo comprar acciones.", "financial"),
    ],
)
async def test_advice_of_our_own_is_dropped(
    context: MakeContext, ports: CheckPorts, text: str, kind: str
) -> None:
    verdict = await advice.run(f"{text} Exports are under Settings.", context(says(text)), ports)
    assert (verdict.verdict, verdict.reason) == ("rewrite", kind)
    assert verdict.text == "Exports are under Settings."
    allowed = context(says(text), policy=TenantPolicy(advice=(kind,)))
    assert (await advice.run(text, allowed, ports)).verdict == "pass"


async def test_documents_may_advise(context: MakeContext, ports: CheckPorts) -> None:
    text = "You can deduct the fee from your taxes [1]."
    source = passage(1, "You can deduct the fee from your taxes.")
    assert (await advice.run(text, context(says(text), (source,)), ports)).verdict == "pass"
    paraphrase = "The fee is tax deductible [1]."
    given = context(says(paraphrase, citations=(cited(1, source.text),)))
    assert (await advice.run(paraphrase, given, ports)).verdict == "pass"


@pytest.mark.parametrize(
    "text",
    [
        "You should check the legal page.",
        "I can't say whether that is legal.",
        "You can buy more seats in Settings.",
        "Invest a minute in the tour.",
    ],
)
async def test_ordinary_help_is_no_advice(
    context: MakeContext, ports: CheckPorts, text: str
) -> None:
    assert (await advice.run(text, context(says(text)), ports)).verdict == "pass"


# ---------------------------------------------------------------- language

EN = "You can find the export under Settings, and it will be sent to you by mail."
ES = "Puedes encontrar la exportación en Ajustes y te la enviamos por correo."


@pytest.mark.parametrize(
    ("text", "locale"), [(EN, "en"), (ES, "es"), ("CSV", "es"), ("OK [1]", "es")]
)
async def test_the_customers_language_passes(
    context: MakeContext, ports: CheckPorts, text: str, locale: str
) -> None:
    given = context(says(text), locale=locale)
    assert (await language.run(text, given, ports)).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "locale", "said"),
    [
        (EN, "es", "en"),
        (ES, "en", "es"),
        ("Sie können den Export unter Einstellungen finden und er wird mit der Mail für Sie sein.", "en", "de"),
        ("Vous pouvez trouver le fichier dans les paramètres et il est pour vous.", "en", "fr"),
    ],
)  # fmt: skip
async def test_another_language_is_blocked_unless_it_is_quoted(
    context: MakeContext, ports: CheckPorts, text: str, locale: str, said: str
) -> None:
    own = await language.run(text, context(says(text), locale=locale), ports)
    assert (own.verdict, own.reason) == ("block", f"said_in_{said}")
    quoted = context(says(text), (passage(1, text),), locale=locale)
    assert (await language.run(text, quoted, ports)).verdict == "pass"


# ---------------------------------------------------------------- secrets


async def test_a_secret_is_blocked_unless_the_docs_show_it(
    context: MakeContext, ports: CheckPorts
) -> None:
    text = "Use the key sk_test_abcdefghijklmnop1234 for tests."
    assert (await secrets.run(text, context(says(text)), ports)).verdict == "block"
    shown = context(says(text), (passage(1, "Example: sk_test_abcdefghijklmnop1234"),))
    assert (await secrets.run(text, shown, ports)).verdict == "pass"


async def test_the_customers_own_password_is_not_said_back(
    context: MakeContext, ports: CheckPorts
) -> None:
    asked = "my password is Tr0ub4dor&3"
    verdict = await secrets.run(asked, context(says(asked), asked=asked), ports)
    assert (verdict.verdict, verdict.reason) == ("block", "credential")


# ---------------------------------------------------------------- edition

ENTERPRISE = Contact(
    ContactId("c2"), account=Account(AccountId("a2"), "a2", "Acme", edition="enterprise")
)


async def test_a_locked_feature_gets_its_edition_named(
    context: MakeContext, ports: CheckPorts, known: Known
) -> None:
    known.locked = {"Single sign-on": ("enterprise",)}
    text = "Yes, you can use single sign-on for your team."
    verdict = await edition.run(text, context(says(text)), ports)
    assert verdict.verdict == "rewrite"
    assert verdict.text == f"{text} Single sign-on is part of enterprise."
    spanish = await edition.run(
        "Puedes usar Single sign-on.", context(says("x"), locale="es"), ports
    )
    assert spanish.text == "Puedes usar Single sign-on. Single sign-on forma parte de enterprise."


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("Yes, you can use single sign-on.", ENTERPRISE),
        ("On Enterprise you can use single sign-on.", None),
        ("Single sign-on is a way to log in.", None),
        ("You can use exports.", None),
    ],
)
async def test_what_is_theirs_or_not_offered_passes(
    context: MakeContext, ports: CheckPorts, known: Known, text: str, contact: Contact | None
) -> None:
    known.locked = {"Single sign-on": ("enterprise",), "SSO": ("enterprise",)}
    given = context(says(text), contact=contact)
    assert (await edition.run(text, given, ports)).verdict == "pass"


# ---------------------------------------------------------------- moderation


class Judge:
    """A provider that says one thing."""

    def __init__(self, said: Moderated | None) -> None:
        self.said = said

    async def judge(self, _text: str) -> Moderated | None:
        return self.said


@pytest.mark.parametrize(
    ("said", "out", "limited"),
    [
        (None, "pass", False),
        (Moderated("none"), "pass", False),
        (Moderated("low", "harassment", 0.6), "pass", False),
        (Moderated("high", "hate/threatening", 0.8), "block", True),
    ],
)
async def test_moderation_blocks_ours_and_never_theirs(
    context: MakeContext, ports: CheckPorts, said: Moderated | None, out: str, limited: bool
) -> None:
    asked = CheckPorts(
        ports.clock,
        ports.lines,
        ports.answers,
        ports.state,
        ports.consents,
        ports.features,
        Judge(said),
    )
    assert (await moderation.run("x y", context(says("x y")), asked)).verdict == out
    incoming = await moderation.run("x y", context(), asked)
    assert (incoming.verdict, bool(incoming.limits)) == ("pass", limited)


async def test_without_a_provider_nothing_is_moderated(
    context: MakeContext, ports: CheckPorts
) -> None:
    verdict = await moderation.run("x", context(says("x")), ports)
    assert (verdict.verdict, verdict.reason) == ("pass", "")
