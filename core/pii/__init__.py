"""Personal data in text: found by shape, check digit and context, masked before it goes where it must not.

Owns finding and masking, without a model and without a network. Not here: who may be told what (guardrails/pii.py).
"""

from core.pii.found import CARD, CREDENTIAL, IBAN, PERSON, SECRET, SSN, Found, same_value
from core.pii.masking import Masking, find, mask, mask_reversible

__all__ = [
    "CARD",
    "CREDENTIAL",
    "IBAN",
    "PERSON",
    "SECRET",
    "SSN",
    "Found",
    "Masking",
    "find",
    "mask",
    "mask_reversible",
    "same_value",
]
