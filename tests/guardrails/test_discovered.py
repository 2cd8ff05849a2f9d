from core.contracts import CheckSpec
from core.discovery import discover


def test_every_check_is_found_and_runs_in_an_order_that_makes_sense() -> None:
    found = discover("guardrails", CheckSpec)
    assert set(found) == {
        "abuse", "authority", "consent", "grounding", "injection", "links", "pii",
    }  # fmt: skip
    assert found["abuse"].order < found["injection"].order
    assert found["grounding"].order < found["authority"].order < found["pii"].order
    assert {spec.direction for spec in found.values()} == {"in", "out", "both"}
