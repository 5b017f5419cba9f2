"""What the calculator says, as sentences with their places open: the server and the phone fill the same ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext

SENTENCES: Mapping[str, Callable[[], str]] = {
    "at_once": lambda: gettext("That is %(amount)s at once for %(months)s months."),
    "premium_for_one": lambda: gettext("Premium for one month"),
    "premium_for": lambda: gettext("Premium for %(months)s months"),
    "deadline": lambda: gettext("For a start this month, pay by %(day)s."),
    "helped": lambda: gettext("The State helps for %(months)s months at most; here with %(supported)s of %(all)s."),
    "no_help_left": lambda: gettext(
        "The State has helped for as long as it may, %(months)s months: from now on one pays all."
    ),
    "help_ends": lambda: gettext(
        "%(month)s is the last month that the State helps with: its %(cap)s months are used up. One pays for the months after it without help."
    ),
    "the_state": lambda: gettext("The State pays"),
    "one_month": lambda: gettext("one month"),
    "months": lambda: gettext("%(months)s months"),
    "discounted": lambda: gettext(
        "From the second month on each is discounted by %(interest)s for every month that it is paid early."
    ),
    "no_more": lambda: gettext("no more than remains"),
    "ground_counts": lambda: gettext("%(ground)s: the State's %(share)s count, the highest of the grounds."),
    "ground_does_not": lambda: gettext(
        "%(ground)s: the State's %(share)s do not count, for the grounds do not add up."
    ),
    "place_comes_on_top": lambda: gettext("What the place adds for it, %(amount)s, comes on top."),
    "place_does_not": lambda: gettext("What the place would add for it, %(amount)s, does not: one addition counts."),
    "all_helped": lambda: gettext(
        "How many months the State has helped with is not said: all %(months)s months paid count as helped with. In truth more help may be left."
    ),
    "none_helped": lambda: gettext("Worked out as for somebody whom the State has not helped yet."),
    "years_ahead": lambda: gettext("Once for %(years)s years ahead"),
    "not_announced": lambda: gettext("rate not announced"),
    "at_registration": lambda: gettext("when registering"),
    "years": lambda: gettext("%(years)s years"),
    "since": lambda: gettext("since %(day)s"),
    "example_female": lambda: gettext(
        "An example: a woman who begins at the age of %(age)s and pays up to the age of retirement."
    ),
    "example_male": lambda: gettext(
        "An example: a man who begins at the age of %(age)s and pays up to the age of retirement."
    ),
    "retires": lambda: gettext("Age of retirement: %(age)s, reached in %(month)s."),
    "needed": lambda: gettext("%(months)s months still to pay, of the %(all)s a pension needs."),
    "enough": lambda: gettext("Enough months are paid for a pension."),
    "short": lambda: gettext("At that age %(months)s months are missing: one pays on month by month until %(month)s."),
    "at_once_then": lambda: gettext("Or one pays the %(months)s missing months at once then: %(amount)s."),
    "at_once_at_least": lambda: gettext(
        "Or one pays the %(months)s missing months at once then: at least %(amount)s, with the interest of that year on top, which is not announced yet."
    ),
    "pension_from": lambda: gettext("a month for life, from %(month)s"),
    "own": lambda: gettext("For that I pay %(amount)s myself in all."),
    "paid_back": lambda: gettext("After %(years)s yr %(months)s mo of pension I have received what I paid."),
    "life_paid": lambda: gettext("paid %(amount)s"),
    "life_received": lambda: gettext("received %(amount)s"),
    "aged": lambda: gettext("aged %(age)s"),
    "maternity": lambda: gettext(
        "%(amount)s for each child born, to whoever has paid %(least)s of the %(within)s months before the birth."
    ),
    "survivors": lambda: gettext(
        "If one dies after paying for %(years)s years: %(funeral)s for the funeral and %(lump)s to the family."
    ),
    "leaving": lambda: gettext(
        "Taken out at once after %(years)s years it would be only %(amount)s, without the State's part, and no pension."
    ),
    "leaving_unhelped": lambda: gettext(
        "Taken out at once after %(years)s years it would be only %(amount)s, and no pension."
    ),
    "leaving_ahead": lambda: gettext(
        "For the %(years)s years from now on, taken out at once, it would be only %(amount)s, without the State's part, and no pension. What the months so far would bring is not counted."
    ),
    "leaving_ahead_unhelped": lambda: gettext(
        "For the %(years)s years from now on, taken out at once, it would be only %(amount)s, and no pension. What the months so far would bring is not counted."
    ),
    "i_pay": lambda: gettext("I pay"),
    "a_month": lambda: gettext("a month"),
}
"""Under its name what the page and the phone both say. A sentence is asked for when it is needed: in the reader's language."""

REFUSALS: Mapping[str, Callable[[], str]] = {
    "law_unknown": lambda: gettext(
        "The law for %(day)s is not recorded: %(name)s. Choose another day, or ask an administrator."
    ),
    "income_below_floor": lambda: gettext(
        "The least income one may choose on %(day)s is %(floor)s. Choose that or more."
    ),
    "income_above_ceiling": lambda: gettext(
        "The highest income one may choose on %(day)s is %(ceiling)s. Choose that or less."
    ),
    "income_off_step": lambda: gettext("Incomes go in steps of %(step)s. Choose %(lower)s or %(higher)s."),
    "years_ahead_out_of_range": lambda: gettext(
        "One may pay for 2 to %(most)s years ahead at once; for one year choose 12 months."
    ),
    "missing_months_out_of_range": lambda: gettext("One may pay for 1 to %(most)s missing months at once."),
    "supported_below_zero": lambda: gettext("Months already supported cannot be fewer than none."),
    "income_not_read": lambda: gettext("Write the amount in figures, such as 1,500,000."),
    "months_not_read": lambda: gettext("Write the months in figures, such as 36."),
    "year_not_read": lambda: gettext("Write the year in four figures, such as 1966."),
    "too_young": lambda: gettext("One may join from the age of %(age)s on."),
    "months_impossible": lambda: gettext(
        "By now one can have paid %(most)s months at most. Check the months and the birth."
    ),
    "more_helped_than_paid": lambda: gettext(
        "The State cannot have helped with more months than were paid. Check both."
    ),
    "birth_incomplete": lambda: gettext("Say both the month and the year of birth, or neither."),
}
"""What the rules refuse, by the code of the refusal: the phone refuses in the same words."""


BUTTONS: Mapping[str, Callable[[], str]] = {
    "less": lambda: gettext("One step less"),
    "more": lambda: gettext("One step more"),
    "copied": lambda: gettext("The link is copied. Paste it into a message."),
    "copy_by_hand": lambda: gettext("The link is marked: copy it from the box."),
}
"""What only the script says."""


def filled(sentence: str, **places: Any) -> str:
    """A sentence with its places filled."""
    return sentence % places
