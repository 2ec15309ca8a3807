"""The sections of a report, one pure function each: traces in, plain numbers out. What is not known is None."""
