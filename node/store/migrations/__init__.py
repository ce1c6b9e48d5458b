"""The steps from one schema to the next, each a frozen script; applied ones are never edited."""
