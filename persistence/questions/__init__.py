"""questions: what people ask, answered without counting rows."""
