"""defaults: what the processes of a Warren on this machine are given where nobody has said otherwise.

**Promise.**  Whatever the environment names stands; what is made or drawn here is kept in the data folder for the next
start.

`keeping` is where backups go, with which key (`backup_key`) and programs, and what may be cleaned up; `scrape` is where
the figures of each process are, for a Prometheus of this machine; `grpc_port` is where the gRPC door is.  Starts
nothing, and never makes a second key: whoever loses it loses the backups.
"""
