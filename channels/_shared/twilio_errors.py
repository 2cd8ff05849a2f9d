"""What Twilio's error codes mean for a message of ours: a reason a CSM understands, and which pass with time.

Source: Twilio's pages "Error and warning dictionary" (https://www.twilio.com/docs/api/errors/CODE) and "Corresponding
Twilio and WhatsApp error codes". Not here: what a failed call means for the outbox (twilio.py).
"""

# Refusals of a request that pass with time. 63018 as a refusal: faster than the sender may; nothing was taken.
PASSING = frozenset({14107, 20429, 20503, 21611, 30001, 63018})

_REASONS = {
    # the request
    20003: "the account SID, API key or auth token is wrong",
    20404: "the account SID is wrong",
    21211: "the number is not a valid phone number",
    21408: "the account may not send to that country (geo permissions)",
    21602: "the message is empty",
    21603: "a sender number or Messaging Service is missing",
    21606: "the sender number is not this account's, or cannot send texts",
    21608: "a trial account sends to verified numbers only",
    21610: "the recipient has opted out",
    21612: "that recipient cannot be reached from this sender",
    21614: "the number is not a mobile number",
    21617: "the text is longer than 1600 characters",
    21620: "the address of a file is not one Twilio can fetch",
    21655: "the content template (ContentSid) does not exist in this account",
    21656: "the variables do not fit the content template",
    21659: "the sender number is not this account's",
    21703: "the Messaging Service has no sender",
    21705: "the Messaging Service SID is wrong",
    # carriers
    30003: "the phone is switched off or out of reach",
    30004: "the recipient blocked the message, or cannot receive texts",
    30005: "the number is not in use",
    30006: "a landline, or a carrier that takes no texts",
    30007: "the carrier filtered the message as unwanted",
    30008: "the carrier did not say why",
    30032: "the toll-free number is not verified",
    30034: "the number is not registered for A2P 10DLC",
    # WhatsApp
    63001: "WhatsApp could not verify the sender",
    63003: "the number has no WhatsApp account",
    63005: "WhatsApp did not accept the content",
    63007: "the sender is no WhatsApp sender of this account",
    63008: "the WhatsApp sender is not set up completely",
    63013: "it is against a rule of WhatsApp's",
    63014: "the recipient has blocked this sender",
    63015: "the sandbox writes only to numbers that joined it",
    63016: "the 24-hour window is closed, and it was not sent by an approved template",
    63018: "the sender wrote faster, or to more people a day, than WhatsApp lets it",
    63019: "WhatsApp could not fetch or take the file",
    63021: "WhatsApp does not support this content",
    63024: "the recipient cannot get WhatsApp messages at this number",
    63027: "the template does not exist in that language, or is not approved",
    63028: "the template has another number of variables",
    63030: "WhatsApp did not accept a parameter of the message",
    63032: "WhatsApp holds the message back from this person: they are part of an experiment of Meta's",
    63033: "the recipient has blocked messages of this kind",
    63041: "the template is paused because of its low quality",
    63042: "the template is switched off because of its low quality",
    63049: "WhatsApp chose not to deliver a marketing message to this person",
    63051: "the WhatsApp business account is locked",
    63112: "Meta has disabled the WhatsApp business account",
}


def reason(code: int | str | None) -> str:
    """Return why, as a part of a sentence; "see its error list" for a code not known here."""
    try:
        return _REASONS.get(int(code or 0), "see its error list")
    except ValueError:
        return "see its error list"
