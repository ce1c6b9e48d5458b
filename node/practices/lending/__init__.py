"""Lending and giving: a drill for the week-end, a tent for the holidays, a cot for good.

A neighbour, or the library of things, says what it lends. A resident, here or in a partner town,
asks for it on certain days; the lender says yes, hands it over, and takes it back. A gift is asked
for in the same way and never comes back. No money changes hands here: a deposit is a sum both
agree on, and the printed loan slip says it.

Read in this order, and copy in this order to add a practice of your own:
    lifecycle    the two tables: how a loan goes, how a gift goes
    schema       what a listing says, and the form it is typed in
    actions      the rules: days, opening days, how many, what a gift leaves behind
    practice     the one object handed to the node
    routes       the page only lending has, the loan slip (the other practices may have none)
    templates/   card, facts, form, ask, slip; locale/ their words; icon.svg; demo.json
"""
