"""core.pii: every kind is found where it stands, and what only looks like one is left alone."""

import phonenumbers
import pytest

from core.errors import BadInputError
from core.pii import Masking, find, mask, mask_reversible
from core.pii.shapes import compiled


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        # payment
        ("redeem points won on credit card 060426070011 please", "CREDIT_CARD", "060426070011"),
        ("4111.1111.1111.1111", "CREDIT_CARD", "4111.1111.1111.1111"),
        ("card ４１１１１１１１１１１１１１１１", "CREDIT_CARD", "４１１１１１１１１１１１１１１１"),
        ("4111\u200b1111\u200b1111\u200b1111", "CREDIT_CARD", "4111\u200b1111\u200b1111\u200b1111"),
        ("es91 2100 0418 4502 0005 1332 is it", "IBAN_CODE", "es91 2100 0418 4502 0005 1332"),
        ("DE89-3704-0044-0532-0130-00", "IBAN_CODE", "DE89-3704-0044-0532-0130-00"),
        ("send to 0x52908400098527886E0F7030069857D2E4169EE7", "CRYPTO",
         "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "CRYPTO",
         "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        # numbers of states
        ("mi DNI es 12345678Z", "NATIONAL_ID", "12345678Z"),
        ("NIE X1234567L", "NATIONAL_ID", "X1234567L"),
        ("NINO AB 12 34 56 C", "NATIONAL_ID", "AB 12 34 56 C"),
        ("NHS number 943 476 5919", "NATIONAL_ID", "943 476 5919"),
        ("Steuer-ID 86095742719", "NATIONAL_ID", "86095742719"),
        ("NIR 2 55 08 14 168 025 38", "NATIONAL_ID", "2 55 08 14 168 025 38"),
        ("codice fiscale RSSMRA85T10A562S", "NATIONAL_ID", "RSSMRA85T10A562S"),
        ("mijn BSN is 111222333", "NATIONAL_ID", "111222333"),
        ("PESEL: 44051401359", "NATIONAL_ID", "44051401359"),
        ("CPF 529.982.247-25", "NATIONAL_ID", "529.982.247-25"),
        ("Aadhaar 2341 2341 2346", "NATIONAL_ID", "2341 2341 2346"),
        ("ITIN 912-70-1234", "NATIONAL_ID", "912-70-1234"),
        ("my passport number is X1234567A", "PASSPORT", "X1234567A"),
        ("driver's license D1234567", "DRIVER_LICENSE", "D1234567"),
        ("social security: 460 89 9847", "US_SSN", "460 89 9847"),
        # where somebody is reached
        ("laura (at) example (dot) com", "EMAIL_ADDRESS", "laura (at) example (dot) com"),
        ("josé@example.com", "EMAIL_ADDRESS", "josé@example.com"),
        ("https://a.example/reset?token=abc123def", "URL_WITH_TOKEN",
         "https://a.example/reset?token=abc123def"),
        ("https://bob:hunter2@a.example/x", "URL_WITH_TOKEN", "https://bob:hunter2@a.example/x"),
        # people
        ("My name is Rubija", "PERSON", "Rubija"),
        ("me llamo laura ortiz", "PERSON", "laura ortiz"),
        ("This is Naomi Ryan from sales", "PERSON", "Naomi Ryan"),
        ("please call Mr. Pálffy back", "PERSON", "Pálffy"),
        ("it was Hanne I. Kreutzmann", "PERSON", "Hanne I. Kreutzmann"),
        ("hablé con Juan García ayer", "PERSON", "Juan García"),
        ("regards, Ana", "PERSON", "Ana"),
        ("I was born on 6/24/1991", "DATE_OF_BIRTH", "6/24/1991"),
        ("DOB: 3 March 1980", "DATE_OF_BIRTH", "3 March 1980"),
        ("nací el 24 de junio de 1991", "DATE_OF_BIRTH", "24 de junio de 1991"),
        # places
        ("I moved to 12 Oak Street", "STREET_ADDRESS", "12 Oak Street"),
        ("vivo en Calle Mayor 12", "STREET_ADDRESS", "Calle Mayor 12"),
        ("Villacher Strasse 89", "STREET_ADDRESS", "Villacher Strasse 89"),
        ("PO Box 8158", "STREET_ADDRESS", "PO Box 8158"),
        ("SW1A 1AA", "STREET_ADDRESS", "SW1A 1AA"),
        # what opens doors
        ("key AKIAIOSFODNN7EXAMPLE", "CREDENTIAL", "AKIAIOSFODNN7EXAMPLE"),
        ("password: hunter22", "CREDENTIAL", "hunter22"),
        ("my password is Tr0ub4dor&3", "CREDENTIAL", "Tr0ub4dor&3"),
        ("la contraseña es gato1234", "CREDENTIAL", "gato1234"),
        ("the verification code is 482913", "CREDENTIAL", "482913"),
        ("postgres://app:s3cret@db:5432/app", "CREDENTIAL", "postgres://app:s3cret@db:5432/app"),
        ("use kX9f2LmQ8vRt4ZpW1yBn6TdH now", "CREDENTIAL", "kX9f2LmQ8vRt4ZpW1yBn6TdH"),
    ],
)  # fmt: skip
def test_is_found(text: str, kind: str, value: str) -> None:
    assert [(k, text[a:b]) for k, a, b in find(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "12345678A",  # wrong letter
        "Steuer-ID 86095742718",
        "PESEL 44051401358",
        "invoice 111222333 and 86095742719",  # right check digits, no word
        "order 943 476 5919",
        "Your password is incorrect",
        "Reset your password: open Settings",
        "The token is invalid or expired",
        "API key: Settings > Developer",
        "The api-key header",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "trn_01a1fe679b65779ebc99b36df347a5d2",
        "My name is wrong on the invoice",
        "My company name is Acme Widgets",
        "I'm Spanish and this is Lumen Boards support",
        "Open Sky Blue and read Section C. The plan",
        "May invoice, Mark as done, Grant access, Will it work?",
        "Regulation E Covers transfers",
        "I want to update my address",
        "5 Boards and 12 Members on Pro Plan",
        "Step 3 Click Settings",
        "the 2024 Way to Plan",
        "See https://docs.example.com/guide?page=2",
        "released on 3 March 1980",
    ],
)
def test_look_alikes_are_left_alone(text: str) -> None:
    assert find(text) == []


def _numbers() -> list[str]:
    """Return one real number of every region, as it is written at home and abroad."""
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        if example is not None:
            style = phonenumbers.PhoneNumberFormat
            found += [
                phonenumbers.format_number(example, style.INTERNATIONAL),
                phonenumbers.format_number(example, style.NATIONAL),
            ]
    return found


@pytest.mark.parametrize(
    "sentence",
    ["Please call me at {} today", "I no longer want messages to {}", "My phone number is {}."],
)
def test_phones_of_all_the_world_that_are_said_to_be_phones(sentence: str) -> None:
    numbers = _numbers()
    missed = [
        number
        for number in numbers
        if not any(kind == "PHONE_NUMBER" for kind, _, _ in find(sentence.format(number)))
    ]
    assert len(numbers) > 400
    assert len(missed) / len(numbers) < 0.05, missed


def test_without_names_only_what_has_a_shape_is_found() -> None:
    text = "Naomi Ryan, 12 Oak Street, naomi@example.com"
    assert [kind for kind, _, _ in find(text, names=False)] == ["EMAIL_ADDRESS"]


def test_a_tenants_own_numbers() -> None:
    shapes = {"ORDER_NUMBER": "ORD-######", "ACCOUNT_NUMBER": "AC@{2}-*{4,6}"}
    text = "order ord-123456 on ACxy-12ab34, not ORD-12345"
    assert [(k, text[a:b]) for k, a, b in find(text, shapes)] == [
        ("ORDER_NUMBER", "ord-123456"),
        ("ACCOUNT_NUMBER", "ACxy-12ab34"),
    ]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("order", "ORD-######"),
        ("A" * 60, "ORD-######"),
        ("ORDER", "##"),
        ("ORDER", "no marks"),
        ("ORDER", "#" * 81),
        ("ORDER", "#{0}xx"),
        ("ORDER", "#{9,2}x"),
        ("ORDER", "#{1,31}x"),
    ],
)
def test_a_shape_that_is_none_is_refused(name: str, shape: str) -> None:
    with pytest.raises(BadInputError):
        compiled(name, shape)


def test_a_shape_is_no_regular_expression() -> None:
    shapes = {"EVIL": "(*+)+$#"}
    assert find("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" * 100, shapes) == []
    assert find("x (a+)+$7 x", shapes) == [("EVIL", 2, 9)]


def test_masks_are_restored_and_equal_values_get_equal_masks() -> None:
    masking = Masking()
    one = masking.mask("Write to ana@example.com, not bo@example.com.")
    two = masking.mask("ANA@example.com again")
    assert one == "Write to <EMAIL_ADDRESS_1>, not <EMAIL_ADDRESS_2>."
    assert two == "<EMAIL_ADDRESS_1> again"
    assert (
        masking.restore(f"{two} and <EMAIL_ADDRESS_9>")
        == "ana@example.com again and <EMAIL_ADDRESS_9>"
    )


def test_masking_is_reversible() -> None:
    text = "I'm Naomi Ryan, card 4111 1111 1111 1111, call +44 7700 900123."
    masked, restore = mask_reversible(text)
    assert "4111" not in masked
    assert "Naomi" not in masked
    assert "900123" not in masked
    assert restore(masked) == text


def test_a_mask_that_a_customer_writes_restores_nothing_of_others() -> None:
    masking = Masking()
    masking.mask("nothing here but <CREDIT_CARD_1>")
    assert masking.restore("<CREDIT_CARD_1>") == "<CREDIT_CARD_1>"


def test_a_mask_hides_the_value() -> None:
    assert mask("DNI 12345678Z, ok?") == "DNI <NATIONAL_ID>, ok?"
