"""Out: nobody is asked for an address, card, password, code or identity number, unless a running form asks for it.

Owns what counts as asking. Cards, passwords, codes and identity numbers are refused in quoted documents too: a planted
page must not fish. Where a product itself asks (a sign-in page, a settings form) is not asking.
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import flat, is_bots, is_own, source_texts, split, without

_GIVE = (
    r"(?:send|give|tell|share|text|message|email|mail|dm|(?:reply|respond|answer)(?: here| back| below)? with|write (?:me|us)|confirm|verify|provide|let (?:me|us) (?:know|have)|type|enter|paste|supply|submit"
    r"|envi\w+|mand\w+|da(?:me|nos)|di(?:me|nos|ga\w*)|comparta\w*|comparte\w*|responda? con|responde con|facilit\w+|proporcion\w+|escrib\w+|confirm\w+|indi(?:que|ca)(?:me|nos)?|introduzca|introduce|pega)"
)
_WANT = r"(?:what(?:'s| is| are| was)|which is|may i (?:have|ask for|get)|can i (?:have|get)|could i (?:have|get)|i(?:'ll| will)? need|we(?:'ll| will)? need|i require|we require|cual es|cuales son|me (?:da|das|dice|dices|puede dar|puedes dar)|necesito|necesitamos|where (?:should|do|can) (?:i|we) send)"
_YOURS = r"(?:(?:me|us|over|back|here|please|nos|por favor) ){0,2}(?:(?:with|for|to me|to us|the|all|a|an|con) )?(?:the |your |tu |su |tus |sus |el |la |los |las |full |complete |current |exact |new |number of your |photo of your |picture of your |copy of your ){1,3}(?:\w+ ){0,2}"
_KINDS: tuple[tuple[str, str], ...] = (
    ("password", r"(?:passwords?|passphrase|pass ?code|login (?:details|credentials)|credentials|contrasenas?|clave(?: de acceso)?|credenciales)"),
    ("code", r"(?:pin(?: code| number)?|(?:one[- ]time|verification|security|sms|confirmation|access|two[- ]factor|2fa|otp|login) (?:code|pin|password|token)|otp|cvv2?|cvc|cvn|codigo (?:de (?:verificacion|seguridad|acceso|un solo uso)|pin|cvv)|(?:six|6)[- ]digit code)"),
    ("card", r"(?:(?:credit|debit|bank|payment)?[ -]?cards? (?:numbers?|details|info\w*|data|digits|expir\w+)|(?:credit|debit) cards?\b|bank (?:account|details)|account and routing|routing number|iban|account number and sort code|(?:numero|datos) de (?:la |su |tu )?(?:tarjeta|cuenta bancaria)|tarjeta de (?:credito|debito))"),
    ("identity", r"(?:ssn|social security(?: number)?|national (?:id|insurance)(?: number)?|passport(?: number)?|(?:government|photo|national|identity)[- ]?(?:id|card|document)s?|driv(?:er'?s|ing) licen[cs]e(?: number)?|tax (?:id|number)|date of birth|birth ?date|mother's maiden name|dni|nie|nif|pasaporte|numero de (?:identidad|seguridad social|identificacion)|fecha de nacimiento|apellido de soltera)"),
    ("address", r"(?:(?:home|postal|mailing|street|billing|shipping|delivery|residential|physical) address|address of residence|(?:direccion|domicilio)(?: postal| particular| de facturacion| de envio)?(?! de correo| ip| web| electronica| url))"),
    ("phone", r"(?:(?:phone|mobile|cell(?:phone)?|telephone|contact) numbers?|(?:numero de )?(?:telefono|movil|celular))"),
    ("email", r"(?:e-?mail(?: address)?(?! (?:notification|setting|template|client|provider)s?)|correo(?: electronico)?|direccion de correo)"),
)  # fmt: skip
_COMPILED = tuple(
    (name, re.compile(rf"\b(?:{_GIVE}|{_WANT}) {_YOURS}{what}\b")) for name, what in _KINDS
)
_NEVER = frozenset({"password", "code", "card", "identity"})
# Where the product asks, not we.
_ELSEWHERE = re.compile(
    r"\b(?:page|screen|form|field|settings?|menu|tab|dialog|window|portal|dashboard|app|sign[- ]?in|log[- ]?in|login|checkout|button|click|select|then|on the website|in your (?:account|browser|profile)|pagina|pantalla|formulario|campo|ajustes|configuracion|menu|pestana|haz clic|haga clic|pulse|pulsa)\b"
)
# A page that speaks of handing something over is harmless; one that wants it handed to us, here, is not.
_TO_US = re.compile(
    r"\b(?:me|us|here|reply|respond|answer|this (?:chat|conversation|thread|message|form)|nos|aqui|responde|responda|este (?:chat|mensaje|hilo))\b"
)
_DENIED = re.compile(r"n't\b|\b(?:never|don't|do not|won't|will not|not|no need|nunca|jamas|no)\b")


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or the text without the sentences that ask for what no form asks."""
    if not is_bots(context):
        return Verdict("asking", "pass")
    sources = source_texts(context)
    wrong = {}
    for number, sentence in enumerate(split(text)):
        kind = asked_for(sentence)
        if not kind or (kind not in _NEVER and kind in (context.asks or "")):
            continue
        if is_own(sentence, sources) or (kind in _NEVER and _TO_US.search(flat(sentence))):
            wrong[number] = kind
    return without("asking", text, wrong)


def asked_for(sentence: str) -> str:
    """Return the kind of personal data that a sentence asks the reader to hand over, or an empty string."""
    said = flat(sentence)
    for name, pattern in _COMPILED:
        match = pattern.search(said)
        if match and not _DENIED.search(said[: match.start()]) and not _ELSEWHERE.search(said):
            return name
    return ""


CHECK = CheckSpec(
    name="asking",
    direction="out",
    order=35,
    run=run,
    summary="Drops requests for addresses, cards, passwords, codes or identity numbers that no form makes.",
)
