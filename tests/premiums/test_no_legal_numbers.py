"""The law changes and old months keep theirs: no number of the law stands in the code."""

import ast
from decimal import Decimal
from pathlib import Path

from crm.premiums import services

CODE = Path(services.__file__).parent
PLAIN = {0, 1, 2, 12, 100}
"""Nothing, one, a half's denominator, the months of a year, per cent."""
PERIODS = {3, 6, 12}
"""Names of ways to pay, in the one module that names them."""


def numbers_in(module: Path) -> set[Decimal]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {Decimal(str(value)) for value in constants if type(value) in (int, float)}


def test_the_rules_hold_no_legal_number() -> None:
    found = {module.name: numbers_in(module) - PLAIN for module in (CODE / "rules").rglob("*.py")}
    assert found.pop("keys.py") <= PERIODS
    assert not any(found.values()), found


def test_no_other_module_repeats_a_number_of_the_law() -> None:
    legal = {Decimal(entry["value"]) for entry in services.law_entries()} - PLAIN - PERIODS
    legal |= {value / 100 for value in legal}
    telling = {value for value in legal if value >= 20 or value != int(value)}
    for module in CODE.rglob("*.py"):
        assert not numbers_in(module) & telling, module.name


def test_the_search_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("rate = 0.22\nfloor = 1_500_000\n")
    assert numbers_in(tmp_path / "bad.py") == {Decimal("0.22"), Decimal(1_500_000)}
