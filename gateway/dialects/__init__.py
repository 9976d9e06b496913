"""The dialects: what five other job systems call things, in our words and back.

Programs that spoke to one of them go on with their requests as they are.  A dialect is recognised by its route (no
`/api/v1` before it, `/executions`, `/scheduled-jobs`) or by a name that ours is not (`job_type`, `status_filter`,
`page`), and never guessed: beside these names everything is as strict as elsewhere, and a refusal names the field as
its sender wrote it.  An answer in a dialect is our answer with their names beside ours, the values byte for byte the
same.

`names` has all of their words, and no other folder knows them; `bodies` puts a request into ours, `frequency` what one
of them says of a time; `answers` puts an answer into both; `pages` are their lists by number; `routes` puts these
around our own routes.  docs/dialects.md is their page.
"""
