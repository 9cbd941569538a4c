//! By which clock leases run out and jobs are due.

use super::bench::*;
use holdfast_common::{
    job::{NewJob, Place},
    storage::{
        Fault,
        jobs::{Ended, Extend, Extended},
    },
    time::Millis,
};

contract_of_jobs! {
    no_jump_of_the_wall_clock_ends_a_lease
    a_time_in_which_nobody_could_have_extended_a_lease_does_not_end_it
    who_only_reads_sees_a_lease_stand_before_anybody_has_given_it_such_a_time
    a_delayed_job_is_due_after_such_a_time
    what_a_gap_gives_is_given_once
    a_step_that_is_no_gap_counts
}

async fn no_jump_of_the_wall_clock_ends_a_lease(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    for jump in [3_600_000, -90 * 24 * 3_600_000, 400 * 24 * 3_600_000] {
        bench.jump(jump);
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(10_000)));
    }
    bench.pass(10_000).await;
    assert!(matches!(bench.end(&job, complete()).await, Ended::Late(_)));
}

async fn a_time_in_which_nobody_could_have_extended_a_lease_does_not_end_it(bench: &Bench) {
    bench.inbox().await;
    bench.puts(2).await;
    let [one, two] = bench.take(2).await.try_into().unwrap();
    bench.pass(4_000).await;
    bench.step(8 * 3_600_000);
    // The first to come after it is the consumer itself.
    let [Extended::Until(_)] = bench.extend(vec![(one.id, one.token)], 10_000).await[..] else {
        panic!("it ran out");
    };
    // Of the step as much counts as a step may have.
    assert_eq!(bench.job(two.id).await.due, Some(Millis(4_000)));
    bench.pass(3_999).await;
    assert_eq!(bench.place(two.id).await, Place::Leased);
    bench.pass(1).await;
    assert!(matches!(bench.end(&two, complete()).await, Ended::Late(_)));
    assert_eq!(bench.ended(&one, complete()).await, Place::Done);
}

async fn who_only_reads_sees_a_lease_stand_before_anybody_has_given_it_such_a_time(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    bench.pass(4_000).await;
    bench.step(3_600_000);
    let read = bench.job(job.id).await;
    assert_eq!((read.place, read.due), (Place::Leased, Some(Millis(4_000))));
    assert_eq!(read.fence, job.token.fence);
    bench.tend().await;
    assert_eq!(bench.job(job.id).await.due, Some(Millis(4_000)));
    assert_eq!(bench.ended(&job, complete()).await, Place::Done);
}

async fn a_delayed_job_is_due_after_such_a_time(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { delay: Millis(3_600_000), ..new_job() }).await;
    bench.step(3_600_000);
    assert_eq!(bench.take_ids(1).await, [id]);
}

async fn what_a_gap_gives_is_given_once(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    bench.step(62_000);
    for _ in 0..3 {
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(8_000)));
    }
}

async fn a_step_that_is_no_gap_counts(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    for left in [8_000, 6_000, 4_000] {
        bench.step(2_000);
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(left)));
    }
}

mod on_disk {
    use super::super::commits::{Disk, Fails, Once};
    use super::*;
    use holdfast_backend::engine::sqlite::Options;
    use holdfast_common::storage::jobs::LeasedJob;
    use rusqlite::ffi;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[tokio::test]
    async fn a_lease_outlives_the_time_in_which_the_folder_was_closed() {
        let bench = Bench::sqlite();
        bench.inbox().await;
        bench.puts(1).await;
        let job = bench.take_one().await;
        let delayed = bench.put(NewJob { delay: Millis(3_600_000), ..new_job() }).await;
        bench.pass(4_000).await;
        bench.reopen(3_600_000);
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(6_000)));
        assert_eq!(bench.place(delayed).await, Place::Ready, "it was due meanwhile");
        bench.reopen(0);
        bench.jump(-1);
        assert_eq!(bench.ended(&job, complete()).await, Place::Done);
        bench.counted().await;
    }

    #[tokio::test]
    async fn a_wall_clock_that_was_set_back_meanwhile_ends_no_lease() {
        let bench = Bench::sqlite();
        bench.inbox().await;
        bench.puts(1).await;
        let job = bench.take_one().await;
        bench.jump(-3_600_000);
        bench.reopen(0);
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(10_000)));
        assert_eq!(bench.ended(&job, complete()).await, Place::Done);
    }

    #[tokio::test]
    async fn a_gap_whose_batch_was_not_committed_is_given_by_the_next_one() {
        let once = Once::default();
        let commits = Box::new(once.clone());
        let bench = Bench::sqlite_with(Options { commits, ..Options::default() });
        bench.inbox().await;
        bench.puts(1).await;
        let job = bench.take_one().await;
        bench.step(3_600_000);
        once.fail(Fails::Before);
        assert!(bench.engine().tend().await.is_err());
        assert!(once.is_over());
        bench.step(1_000);
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(8_000)));
        assert_eq!(bench.ended(&job, complete()).await, Place::Done);
    }

    #[tokio::test]
    async fn a_gap_is_given_once_by_a_batch_that_nobody_can_say_is_committed() {
        let once = Once::default();
        let commits = Box::new(once.clone());
        let bench = Bench::sqlite_with(Options { commits, ..Options::default() });
        bench.inbox().await;
        bench.puts(1).await;
        let job = bench.take_one().await;
        bench.step(3_600_000);
        once.fail(Fails::After);
        let answer = bench.engine().tend().await;
        assert!(matches!(answer, Err(Fault::Unknown(_))), "{answer:?}");
        bench.step(1_000);
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(8_000)));
        bench.pass(8_000).await;
        assert!(matches!(bench.end(&job, complete()).await, Ended::Late(_)));
    }

    /// A disk, and a bench on it with a job that is held for six seconds more.
    async fn on_a_disk() -> (Disk, Bench, LeasedJob) {
        let disk = Disk::default();
        let commits = Box::new(disk.clone());
        let bench = Bench::sqlite_with(Options { commits, ..Options::default() });
        bench.inbox().await;
        bench.puts(1).await;
        let job = bench.take_one().await;
        bench.pass(4_000).await;
        (disk, bench, job)
    }

    /// Two minutes in which its holder tries to extend it, and the store is tended, each second.
    async fn in_vain(bench: &Bench, job: &LeasedJob) {
        for _ in 0..120 {
            let jobs = vec![(job.id, job.token)];
            let extend = Extend { jobs, lease: Some(Millis(10_000)), progress: None };
            assert!(bench.engine().extend(extend).await.is_err());
            bench.step(1_000);
            let read = bench.job(job.id).await;
            assert_eq!((read.place, read.due), (Place::Leased, Some(Millis(6_000))));
            assert!(bench.engine().tend().await.is_err());
        }
    }

    #[tokio::test]
    async fn a_lease_outlives_the_time_in_which_nothing_could_be_written() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE] {
            let (disk, bench, job) = on_a_disk().await;
            let delayed = bench.put(NewJob { delay: Millis(60_000), ..new_job() }).await;
            disk.takes_nothing(code);
            in_vain(&bench, &job).await;
            disk.mends();
            bench.tend().await;
            let read = bench.job(job.id).await;
            assert_eq!((read.due, read.attempts.len()), (Some(Millis(6_000)), 0));
            assert_eq!(bench.place(delayed).await, Place::Ready, "it was due meanwhile");
            bench.pass(5_999).await;
            assert_eq!(bench.place(job.id).await, Place::Leased);
            bench.pass(1).await;
            assert!(matches!(bench.end(&job, complete()).await, Ended::Late(_)), "it counts again");
        }
    }

    #[tokio::test]
    async fn the_first_to_come_when_the_disk_takes_something_again_may_be_the_holder() {
        let (disk, bench, job) = on_a_disk().await;
        disk.takes_nothing(ffi::SQLITE_FULL);
        in_vain(&bench, &job).await;
        disk.mends();
        let [Extended::Until(given)] = bench.extend(vec![(job.id, job.token)], 10_000).await[..]
        else {
            panic!("it ran out");
        };
        assert_eq!(given.length, Millis(10_000));
        bench.pass(9_999).await;
        assert_eq!(bench.ended(&job, complete()).await, Place::Done);
    }

    #[tokio::test]
    async fn who_writes_nothing_does_not_say_that_the_disk_takes_something() {
        let (disk, bench, job) = on_a_disk().await;
        disk.takes_nothing(ffi::SQLITE_FULL);
        let extend = Extend { jobs: vec![(job.id, job.token)], lease: None, progress: None };
        assert!(matches!(bench.engine().extend(extend).await, Err(Fault::Full)));
        bench.extend(Vec::new(), 1).await;
        bench.step(1_000);
        disk.mends();
        bench.tend().await;
        assert_eq!(bench.job(job.id).await.due, Some(Millis(6_000)));
    }

    #[tokio::test]
    async fn a_lease_outlives_a_stop_while_the_disk_takes_nothing() {
        let (disk, bench, job) = on_a_disk().await;
        disk.takes_nothing(ffi::SQLITE_FULL);
        in_vain(&bench, &job).await;
        bench.reopen(60_000);
        bench.tend().await;
        let due = bench.job(job.id).await.due.unwrap();
        // What was not kept of the clock counts as time in which the store was closed.
        assert!((6_000..=10_000).contains(&due.0), "{due:?}");
        assert_eq!(bench.ended(&job, complete()).await, Place::Done);
    }

    #[tokio::test]
    async fn fences_go_on_above_all_that_were_given_out_once_a_folder_was_set_back() {
        let bench = Bench::sqlite();
        bench.inbox().await;
        bench.puts(2).await;
        let before = bench.take_one().await.token.fence;
        bench.restored();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let after = bench.take_one().await.token.fence;
        // Set back twice to the same backup, the folder goes on from another second each time.
        assert!((since_1970 - 60..=since_1970).contains(&(after >> 21)), "{after}");
        assert!(after < 1 << 53, "a reader of JSON takes it as it is");
        // Where the wall clock is behind them, they go on all the same.
        bench.alter("UPDATE store_clock SET fence = fence << 1");
        bench.restored();
        bench.puts(1).await;
        assert!(bench.take_one().await.token.fence > 2 * after + u64::from(u32::MAX));
        assert!(before < after);
    }

    #[tokio::test]
    async fn everything_of_jobs_is_there_after_a_restart() {
        let bench = Bench::sqlite();
        bench.inbox().await;
        let delay = Millis(700_000);
        let id = bench.put(NewJob { delay, priority: -7, ..grouped("g") }).await;
        let behind = bench.put(NewJob { expires: Some(Millis(900_000)), ..grouped("g") }).await;
        bench.puts(3).await;
        let taken = bench.take(3).await;
        bench.ended(&taken[0], complete()).await;
        bench.ended(&taken[1], fail("x")).await;
        let read = async || {
            let mut all = Vec::new();
            for id in [id, behind, taken[0].id, taken[1].id, taken[2].id] {
                all.push(bench.job(id).await);
            }
            all
        };
        let before = read().await;
        bench.reopen(0);
        assert_eq!(read().await, before);
        let again = bench.end(&taken[1], fail("x")).await;
        assert_eq!(again_at(&again), Some(Place::Ready));
        assert_eq!(bench.ended(&taken[2], complete()).await, Place::Done);
        bench.counted().await;
    }
}
