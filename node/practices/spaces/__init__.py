"""Spaces: a machine of the fab lab, a room of the neighbourhood house, a desk for the morning.

An association says what it opens, when, and to whom. A resident, here or in a partner town, picks
a day and hours that are free; the keeper says yes, or the space is booked at once where that was
chosen. A dangerous machine asks for a habilitation, a wanted one shares its hours out by quotas.
Prices are shown and written down; no money changes hands here.

Read in this order:
    lifecycle    two tables: a booking, and one with check-in on arrival
    schema       what a listing says, and the form it is typed in
    hours        the wall clock as quarters of an hour, opening hours, steps
    actions      what can be asked for, what it holds, what it costs
    rules        who may book: how early, not twice, habilitation, quota
    free         what is free, reckoned by the rule that decides
    series       the same hours every week, a booking for each date
    practice     the one object handed to the node
    routes       the pages only spaces have: by site, a week, a series
    templates/   card, facts, form, ask, request and those pages; locale/; icon.svg; demo.json
"""
