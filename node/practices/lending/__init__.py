"""Lending and giving: a drill for the week-end, a tent for the holidays, a cot for good.

A neighbour, or the library of things, says what it lends. A resident, here or in a partner town,
asks for it on certain days, or waits in line for it; the lender says yes, hands it over, and takes
it back. A gift is asked for in the same way and never comes back. No money changes hands here: a
deposit is a sum both agree on, and the printed loan slip says it.

Read in this order, and copy in this order to add a practice of your own:
    lifecycle    the two tables: how a loan goes, how a gift goes
    schema       what a listing says, and the form it is typed in; kinds: what is usual for each
    actions      the rules of an ask: which days, how many, how much longer, what a gift leaves
    calendar     opening days, closed days and public holidays, which move what is due
    policy       the limits of a listing and the guards behind them: who may borrow, and how often
    practice     the one object handed to the node
    routes       the pages only lending has: the loan slip, and who comes today (today: the list)
    templates/   card, facts, form, ask; act and request on the page of a request; slip, today;
                 locale/ their words; icon.svg; demo.json
"""
