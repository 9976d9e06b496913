"""What Warren promises, and the tests that would fail without it; `deploy/test` runs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    number: int
    words: str
    tests: tuple[str, ...]  # pytest's node ids; the first one is shown


PROMISES = (
    Promise(
        1,
        "accepted means durable",
        (
            "tests/faults/test_kills.py::test_a_killed_gateway_keeps_its_promises",
            "tests/room/gateway/test_outages.py::test_with_postgres_away_rabbitmq_holds_the_job",
            "tests/room/gateway/test_outages.py::test_with_rabbitmq_away_the_outbox_holds_the_job",
            "tests/room/gateway/test_outages.py::test_with_both_away_the_caller_gets_an_id_to_try_again_with",
            "tests/faults/crash_table/test_gateway.py::test_the_gateway_dies_while_it_accepts",
        ),
    ),
    Promise(
        2,
        "recorded before acked",
        (
            "tests/faults/test_kills.py::test_killed_workers_lose_no_job_and_record_none_twice",
            "tests/faults/test_outages.py::test_nothing_is_acked_before_its_outcome_is_committed",
            "tests/faults/test_kills.py::test_a_killed_rabbitmq_loses_no_job",
            "tests/faults/test_kills.py::test_a_killed_postgres_loses_no_job",
            "tests/faults/crash_table/test_worker.py::test_a_worker_dies",
        ),
    ),
    Promise(
        3,
        "one record per lease",
        (
            "tests/faults/test_frozen_worker.py::test_a_frozen_worker_wakes_to_find_its_jobs_gone",
            "tests/room/persistence/test_record.py::test_only_the_current_lease_may_write_and_the_late_outcome_is_kept",
            "tests/room/persistence/test_claim.py::test_every_delivery_of_a_batch_gets_an_answer",
            "tests/faults/test_outages.py::test_a_long_job_runs_once_while_its_connections_are_cut",
        ),
    ),
    Promise(
        4,
        "no retry lives in a worker",
        (
            "tests/faults/test_delayed.py::test_a_crowd_that_waits_costs_no_process_memory",
            "tests/faults/test_hopping.py::test_jobs_that_wait_in_the_ladder_outlive_the_broker",
            "tests/journey/test_retries.py::test_a_retry_runs_at_its_planned_time",
        ),
    ),
    Promise(
        5,
        "nothing is dropped silently",
        (
            "tests/journey/test_amqp_door.py::test_each_bad_message_becomes_one_dead_letter_that_names_the_field",
            "tests/room/persistence/test_recorder.py::test_an_unrouted_message_of_an_open_job_is_sent_again",
            "tests/faults/test_purge.py::test_what_was_purged_is_done_once",
            "tests/faults/test_empty_disk.py::test_every_job_survives_the_brokers_disk",
            "tests/room/scheduler/test_rescue.py::test_what_was_purged_is_sent_again_once",
            "tests/room/scheduler/test_epoch.py::test_a_broker_with_an_emptied_disk_gets_every_waiting_job_back",
        ),
    ),
    Promise(
        6,
        "cancel is durable",
        (
            "tests/faults/test_races.py::test_a_cancel_that_races_ends_in_cancelled_or_completed_and_its_answer_was_true",
            "tests/journey/test_cancel.py::test_a_waiting_job_is_cancelled_here_and_now_and_never_runs",
            "tests/faults/test_delayed.py::test_the_copy_of_an_ended_job_starts_nothing_when_it_arrives",
            "tests/room/persistence/test_claim.py::test_a_deleted_job_does_not_come_back_to_life",
        ),
    ),
    Promise(
        7,
        "priority is real",
        (
            "tests/journey/test_priority.py::test_with_a_backlog_an_important_job_waits_for_those_that_run",
            "tests/journey/test_priority.py::test_it_does_so_when_the_jobs_have_just_become_slow",
            "tests/journey/test_priority.py::test_under_endless_important_jobs_the_least_important_gets_one_start_in_fifty",
            "tests/journey/test_queues.py::test_with_a_backlog_the_more_important_job_overtakes",
        ),
    ),
    Promise(
        8,
        "one trace",
        (
            "tests/journey/test_one_job.py::test_the_trace_of_the_request_is_the_jobs_and_reaches_the_actor_and_its_retry",
            "tests/journey/test_traces.py::test_a_job_by_http",
        ),
    ),
    Promise(
        9,
        "any language can publish",
        (
            "tests/journey/test_amqp_door.py::test_a_foreign_job_is_done_exactly_once",
            "tests/unit/wire/test_agreement.py::test_two_that_disagree_are_refused_naming_both",
            "tests/journey/test_sql_door.py::test_a_job_that_was_rolled_back_never_runs",
        ),
    ),
    Promise(
        10,
        "the clock fires once",
        (
            "tests/faults/test_clock.py::test_clocks_that_are_killed_and_frozen_at_random_fire_each_due_time_once",
            "tests/faults/crash_table/test_clock.py::test_the_scheduler_dies_as_it_fires",
            "tests/faults/test_clock.py::test_a_store_that_is_killed_under_the_clocks_costs_no_due_time",
            "tests/room/persistence/schedules/test_fire.py::test_two_clocks_with_the_same_turns_make_each_run_once",
        ),
    ),
)
