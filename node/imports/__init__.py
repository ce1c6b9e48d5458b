"""Open data on its way into the town's listings: read with care, compared, published, told.

    sheets/     files as lines, whatever their shape
    rows/       one row in careful hands: whatever no field takes stays visible
    mapping     which column is which field, from a TOML file or from options
    mapped      a mapping at work: a row fills in the practice's form
    order       what is to be imported as what, from where and under which licence
    reading     all rows, each a listing or a rejection; doubles: what may be listed twice
    plan        what a file changes: new, changed, renewed, the same, vanished
    run         one import from the file to the report

A row is either a listing or a rejection with its line, column and reason. What looks wrong but may
be right is kept and told.
"""
