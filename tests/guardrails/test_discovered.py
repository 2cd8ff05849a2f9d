from core.contracts import CheckSpec
from core.discovery import discover


def test_checks_are_found_and_run_in_an_order_that_makes_sense() -> None:
    found = discover("guardrails", CheckSpec)
    assert found["abuse"].order < found["injection"].order
    # what may not be said at all stops the chain before anything is rewritten
    assert found["secrets"].order < found["grounding"].order
    assert found["grounding"].order < found["authority"].order < found["pii"].order
    assert {spec.direction for spec in found.values()} == {"in", "out", "both"}
