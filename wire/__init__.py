"""wire: what two processes must agree on byte for byte, or they misunderstand each other.

**Promise.**  A job that one process writes, any other process, any version of ours and any other language reads the
same way, or refuses with a sentence that names the field.

**Doors.**  `envelope` (the job as JSON), `message` (the job as AMQP properties and headers), `topology` and `ladder`
(where it travels), `rabbitmq` (how we talk to the broker: publish many at once, take many in), `control` (hints to all
workers), `unique` (which jobs are the same work), `times` (when a schedule is due), `tracing` and `spans` (which trace
it belongs to, and what OpenTelemetry is told), `states` (the words for where it stands), `metrics` (what is counted, by
which name), `settings`, `logs`, `lifecycle`, `alive` (what a container's health check is told).

**What does not belong here.**  Retry policy, SQL, HTTP errors: no two processes misunderstand each other without them.

**Failure modes.**  A malformed message raises `Refused`; a broker that is away raises `BrokerUnavailable`; a wrong
setting raises `SettingsError` with all faults at once.  Nothing here swallows an error.
"""
