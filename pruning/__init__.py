"""Stage one: scores, scopes, schedules, masks."""
