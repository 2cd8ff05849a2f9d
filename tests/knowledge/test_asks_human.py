import pytest

from knowledge.asks_human import HumanWords

WORDS = HumanWords(
    {
        "en": ["0", "human", "agent", "operator", "representative", "person", "real person", "a person",
               "talk to agent", "talk to a person", "speak to someone", "customer service"],
        "es": ["humano", "agente", "persona", "hablar con una persona", "hablar con alguien"],
        "de": ["mensch", "mitarbeiter", "mit einem menschen sprechen"],
        "fr": ["humain", "conseiller", "parler à quelqu'un"],
        "pt": ["humano", "atendente", "falar com uma pessoa"],
        "it": ["operatore", "parlare con una persona"],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "0",
        " 0 ",
        "Human",
        "AGENT!",
        "agent please",
        "a human, please",
        "operator?",
        "Hi, can I talk to a person please?",
        "I want to speak to a human",
        "talk to agent",
        "I want to talk to a human about my export",
        "¿Puedo hablar con una persona mañana a las 10?",
        "can I talk to a person tomorrow at 10?",
        "I need a human at 3pm",
        "can I speak with an agent on Monday?",
        "I'd like to speak to an agent if possible",
        "quiero hablar con un agente hoy",
        "Ich möchte mit einem Menschen sprechen heute",
        "I need a person to help me with this",
        "could I have a real person look at this?",
        "quiero hablar con una persona de su equipo",
        "Ich brauche einen Mitarbeiter bitte",
        "I want to speak with someone from your team",
        "let me talk to an agent",
        "get me a real person",
        "give me a human now!!",
        "I need a representative",
        "is there a real person there?",
        "This bot is useless. I want to talk to a human",
        "persona",
        "Quiero hablar con una persona",
        "agente por favor",
        "necesito hablar con un agente",
        "Mensch",
        "Ich möchte mit einem Menschen sprechen",
        "Je veux parler à quelqu'un",
        "Quero falar com uma pessoa",
        "Vorrei parlare con una persona",
    ],
)
def test_asks_for_a_person(text: str) -> None:
    assert WORDS.asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "our booking agent is late",
        "I want a person column this week",
        "can I see the agent on my server?",
        "can I get a customer service integration?",
        "our booking agent is not working",
        "the human resources export",
        "I need the agent API key",
        "is there an agent for Windows?",
        "we want a person field on the card",
        "where is the agent installer",
        "get me the operator manual",
        "I need agent seats",
        "can I have a person assigned to two boards?",
        "I want a person to a board",
        "quiero añadir una persona",
        "necesito el agente de escritorio",
        "ich brauche einen Mitarbeiter Zugang",
        "zero",
        "human resources",
        "I need a human resources export",
        "How do I add a person to the board?",
        "who is the contact person for the contract?",
        "a person in my team cannot log in",
        "10",
        "00",
        "0 results in my report",
        "the agent field is empty",
        "is it human readable?",
        "we work with a customer service tool",
        "la persona de contacto cambió",
        "el agente inmobiliario no puede entrar",
        "",
        "hello",
    ],
)
def test_speaks_of_something_else(text: str) -> None:
    assert not WORDS.asked(text)


def test_no_words_no_wish() -> None:
    assert not HumanWords({}).asked("human")
