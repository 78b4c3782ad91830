//! What a store is. Every clause is run over SQLite and over PostgreSQL by the same text; a store that keeps them all can carry
//! the promise, whatever it is made of.
//!
//! **Entries** (`entries.rs`). An entry commits whole or not at all, and its neighbours in a batch stand without it. It conflicts
//! where its episode has moved, where the same content or the same version of an event is there already, and where a message
//! would be made twice for one destination. Readers see the whole of it or nothing.
//!
//! **Changes** (`changes.rs`). What is withheld is released into its lane once, or written unsent for a shadow. What has been
//! tried is not superseded, and withdrawing it conflicts; what has not been tried gives its place in the lane to the next.
//! What is parked can be withdrawn. Holding an episode takes what is untried out of its lanes, in the order in which it was made.
//!
//! **Parked** (`parked.rs`). What is sent again by hand goes into its lane by its own number, before what has higher ones; what is
//! under way there goes on. Its limits begin anew, its history does not. What a person closes is not sent; what may have left is
//! not closed. A decision on something that has changed since conflicts.
//!
//! **Lanes** (`lanes.rs`). Only heads of lanes are claimed: one lane an episode and destination. Claims come by due time, keep
//! their limit and say when there is more. An end promotes the next of its own lane and none other; whatever waits in the lane
//! keeps it; whatever ends, is parked or held frees it. What has lost its answer can be hurried, and nothing else.
//!
//! **Leases** (`leases.rs`). A claim counts its try. Claimers at the same moment never get the same delivery. A lease that has
//! run out passes to another under a new token; whoever comes late with the old one changes nothing. A try that does not count
//! is given back. A row that cannot be read is parked alone.
//!
//! **Doubts** (`doubts.rs`). After a restore everything without an end is in doubt, and whatever comes in later of what happened
//! before. It stays so until its end is known; meanwhile it counts as sent. Numbers of lanes go on above the restore's time.
//!
//! **Telling** (`telling.rs`). An alarm opens once and closes once, also across a restart. A source is told of every change of
//! fate, and a change while it is being told is told as well. The journal is filtered by every key. A request is done once.
//! What fails undoes its own writes and nobody else's.
//!
//! **Alarms** (`alarms.rs`). Of several who look at one moment, one tells. A notice is written once for each way out that is
//! configured, in the transaction of what it tells of, and given in order by one at a time under the same id.
//!
//! **Mails** (`mails.rs`). A mail is written once for an event and a state, in the transaction of what it tells of, for the sources that
//! are mailed alone. A source's mails go in order by one at a time; beyond so many an hour they are counted instead.
//!
//! **Audit** (`audit.rs`). Every outcome after which a receiver may have a document has one row, in the outcome's transaction. The
//! rows make one gapless chain, whoever writes them; whatever is changed, taken away or put in from beside is noticed. Another
//! key keeps it, and so does the removal of what is old.
//!
//! **Checking** (`checking.rs`). What is whole has nothing to tell; each kind of damage is told of with its table and row.
//!
//! **Opening** (`opening.rs`). References keep the first secret. A newer schema is neither written nor read; an older one is
//! brought on with everything in it, from every version there has been, and not read before. Whoever reads makes nothing.
//!
//! **Sealing** (`sealing.rs`). Where there are keys, nothing personal stands in it in clear, and what is sealed opens in its own row
//! and column alone. Without a key that it is sealed with it does not open. It is given another key, or its first, while others
//! work on it; what a crash leaves half-way goes on. Whoever lacks the new key writes nothing and harms nothing.
//!
//! **Retention** (`retention.rs`). What has come to its end goes when it is old, content first, rows later; nothing else ever does.
//! An event is known again when all that came of it is gone. A hold keeps until it is lifted. A run that is cut off is taken up.
//!
//! **Working** (`working.rs`). Workers share a queue and keep the order of each lane. Several take in the events of one episode
//! at once, and none is lost or doubled. A damaged episode stops nobody else.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

mod alarms;
mod audit;
mod changes;
mod checking;
mod database;
mod doubts;
mod entries;
mod hand;
mod lanes;
mod leases;
mod mails;
mod opening;
mod parked;
#[path = "../support/postgres.rs"]
mod postgres;
mod retention;
mod sealing;
mod telling;
mod working;
#[expect(dead_code, reason = "shared with the stories, which use more of it")]
#[path = "../support/world.rs"]
mod world;

/// Every clause as a test over either database.
macro_rules! contract {
    ($($part:ident: $($clause:ident)+;)+) => {
        mod sqlite {
            $($(#[test]
            fn $clause() {
                crate::$part::$clause(&crate::database::Database::sqlite());
            })+)+
        }
        mod sqlite_plain {
            $($(#[test]
            fn $clause() {
                crate::$part::$clause(&crate::database::Database::sqlite().with(&[]));
            })+)+
        }
        mod postgresql {
            $($(#[test]
            fn $clause() {
                if let Some(database) = crate::database::Database::postgresql() {
                    crate::$part::$clause(&database);
                }
            })+)+
        }
        mod postgresql_plain {
            $($(#[test]
            fn $clause() {
                if let Some(database) = crate::database::Database::postgresql() {
                    crate::$part::$clause(&database.with(&[]));
                }
            })+)+
        }
    };
}

contract! {
    entries:
        an_entry_commits_whole
        an_entry_that_conflicts_leaves_nothing
        an_episode_that_moved_is_a_conflict
        the_same_content_is_taken_once
        a_version_is_unique
        a_message_is_made_once_for_a_destination
        readers_see_an_entry_whole_or_not_at_all
        episodes_are_due_when_their_time_comes;
    changes:
        what_is_withheld_is_released_once
        a_shadow_is_written_and_not_sent
        what_has_been_tried_is_not_superseded
        what_has_not_been_tried_gives_its_place_to_the_next
        withdrawing_what_has_been_sent_conflicts
        what_is_parked_can_be_withdrawn
        holding_takes_out_what_is_untried;
    lanes:
        only_heads_are_claimed
        destinations_have_lanes_of_their_own
        claims_keep_their_limit
        claims_keep_their_limit_when_the_queue_has_grown
        claims_come_by_due_time
        an_end_promotes_the_next_of_its_lane_and_no_other
        what_leaves_the_lane_frees_it
        what_waits_in_the_lane_keeps_it
        only_lost_answers_are_hurried;
    parked:
        a_resend_starts_the_limits_anew_and_keeps_the_history
        a_resend_goes_before_what_waits_and_after_what_has_left
        a_resend_by_an_older_plan_conflicts
        what_was_sent_again_is_neither_held_nor_superseded
        what_is_closed_by_hand_is_not_sent
        what_may_have_left_is_not_closed
        what_a_person_is_to_deal_with_is_found_oldest_first;
    leases:
        a_claim_counts_the_try_and_carries_what_is_sent
        claimers_at_one_moment_never_get_the_same
        a_lease_that_ran_out_passes_on
        whoever_comes_late_changes_nothing
        a_try_that_does_not_count_is_given_back
        an_attempt_is_kept
        a_damaged_row_is_parked_alone;
    mails:
        a_mail_is_written_with_what_it_tells_of
        mails_are_leased_counted_and_given_up;
    audit:
        an_empty_log_does_not_pass_for_a_whole_one
        whatever_is_changed_is_noticed
        the_chain_of_another_store_is_not_ours
        an_anchor_shows_that_nothing_before_was_written_anew
        many_writers_make_one_chain
        another_key_keeps_the_chain
        every_outcome_has_its_row
        a_try_that_nobody_finished_is_told_of
        a_receipt_that_comes_by_itself_has_its_row
        a_row_about_a_message_names_its_person
        old_rows_go_and_the_chain_holds;
    checking:
        what_is_whole_has_nothing_to_tell
        what_is_damaged_is_found;
    doubts:
        what_has_no_end_is_in_doubt_until_it_has_one
        what_happened_before_a_restore_is_in_doubt_however_late_it_comes
        what_is_in_doubt_counts_as_sent;
    telling:
        an_alarm_opens_once_and_closes_once
        what_stands_now_is_counted
        a_source_is_told_of_every_change
        the_journal_is_filtered
        a_request_is_done_once
        what_fails_undoes_its_own_writes;
    alarms:
        of_several_who_look_one_tells
        a_notice_is_written_for_each_way_out_and_given_in_order
        the_alarm_of_a_due_time_follows_its_entry
        a_source_is_heard_of_when_it_was_last_heard_of
        refusals_are_counted_by_source_and_time;
    opening:
        references_keep_the_first_secret
        a_newer_schema_is_neither_written_nor_read
        an_older_schema_is_not_read
        whoever_reads_makes_nothing
        every_earlier_version_goes_on
        one_process_writes_where_the_database_is_a_file;
    sealing:
        nothing_personal_stands_in_clear
        what_is_moved_does_not_open
        a_store_opens_with_its_own_keys_alone
        a_key_is_followed_by_another
        what_began_plain_is_sealed_while_it_works
        what_is_plain_in_a_sealed_store_is_refused
        a_rekey_that_was_cut_off_goes_on
        a_rekey_goes_on_beside_the_work
        whoever_lacks_the_new_key_harms_nothing
        a_value_that_does_not_open_stops_no_rekey;
    retention:
        what_has_ended_goes_step_by_step
        what_comes_late_to_a_purged_episode_is_told
        a_hold_keeps_until_it_is_lifted
        one_process_has_its_turn
        nothing_else_ever_goes;
    working:
        workers_share_a_queue_and_keep_the_order_of_each_lane
        several_take_in_one_episode_at_once
        a_damaged_episode_stops_nobody_else;
}
