"""What the job type `custom` calls: functions that somebody has registered under a name.

    from warren import operation, progress

    class Window(BaseModel):
        hours: int = Field(ge=1, le=48)

    @operation("rebuild_index")
    def rebuild_index(window: Window) -> dict[str, int]: ...

**Promise.**  `custom {"operation": "rebuild_index", "parameters": {"hours": 6}}` is judged where it is submitted:
by the names that are known, and by the model of that operation's parameters.  What is not known, or does not fit, is
no job.

A job type of one's own (`@job`) has its own queue, limits and statistics; an operation is for what is called by name
now and then, by somebody whose words are `operation` and `parameters`.
"""
