use super::*;
use crate::job::limits::{LONGEST_LEASE, SHORTEST_LEASE};

fn asked() -> NewJob {
    NewJob {
        id: JobId::NIL,
        ns: "work".to_owned(),
        queue: "inbox".to_owned(),
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        delay: Millis(0),
        priority: 0,
        group: None,
        most: None,
        backoff: None,
        expires: None,
        asker: None,
    }
}

#[test]
fn a_job_at_its_bounds_is_taken() {
    assert_eq!(asked().check(2), Ok(()));
    let most = NewJob {
        delay: LONGEST_DELAY,
        priority: 100,
        group: Some("x".repeat(128)),
        most: Some(100),
        backoff: Some(LONGEST_BACKOFF),
        expires: Some(LONGEST_DELAY),
        ..asked()
    };
    assert_eq!(most.check(2), Ok(()));
    let least = NewJob {
        priority: -100,
        group: Some("x".to_owned()),
        most: Some(1),
        backoff: Some(Millis(0)),
        expires: Some(Millis(0)),
        ..asked()
    };
    assert_eq!(least.check(2), Ok(()));
}

#[test]
fn a_job_out_of_its_bounds_names_the_member() {
    assert_eq!(asked().check(1), Err(Unfit::TooLarge));
    assert_eq!(Unfit::TooLarge.code(), Code::TooLarge);
    let past = |length: Millis| Millis(length.0 + 1);
    for (member, job) in [
        ("delay_ms", NewJob { delay: past(LONGEST_DELAY), ..asked() }),
        ("priority", NewJob { priority: 101, ..asked() }),
        ("priority", NewJob { priority: -101, ..asked() }),
        ("group", NewJob { group: Some(String::new()), ..asked() }),
        ("group", NewJob { group: Some("x".repeat(129)), ..asked() }),
        ("max_attempts", NewJob { most: Some(0), ..asked() }),
        ("max_attempts", NewJob { most: Some(101), ..asked() }),
        ("backoff_ms", NewJob { backoff: Some(past(LONGEST_BACKOFF)), ..asked() }),
        ("expires_ms", NewJob { expires: Some(past(LONGEST_DELAY)), ..asked() }),
    ] {
        let unfit = job.check(2).unwrap_err();
        assert_eq!(unfit, Unfit::Bounds(member));
        assert_eq!(unfit.code(), Code::BadRequest);
    }
}

#[test]
fn settings_out_of_their_bounds_name_the_member() {
    let usual = QueueSettings::default;
    assert_eq!(usual().check(), Ok(()));
    for (member, settings) in [
        ("lease_ms", QueueSettings { lease: Millis(SHORTEST_LEASE.0 - 1), ..usual() }),
        ("lease_ms", QueueSettings { lease: Millis(LONGEST_LEASE.0 + 1), ..usual() }),
        ("max_attempts", QueueSettings { attempts: 0, ..usual() }),
        ("backoff_ms", QueueSettings { backoff: Millis(LONGEST_BACKOFF.0 + 1), ..usual() }),
        ("in_flight", QueueSettings { in_flight: Some(0), ..usual() }),
        ("keep_ms", QueueSettings { keep: Millis(LONGEST_DELAY.0 + 1), ..usual() }),
        ("max_jobs", QueueSettings { most: 0, ..usual() }),
        (
            "rate",
            QueueSettings { rate: Some(Rate { jobs: 0, per: Millis(1), burst: 1 }), ..usual() },
        ),
    ] {
        assert_eq!(settings.check(), Err(Unfit::Bounds(member)));
    }
}

#[test]
fn settings_are_read_back_and_what_is_left_out_is_as_usual() {
    let rate = Some(Rate { jobs: 10, per: Millis(1_000), burst: 20 });
    let settings = QueueSettings { in_flight: Some(4), rate, ..QueueSettings::default() };
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(
        text,
        r#"{"lease_ms":30000,"max_attempts":5,"backoff_ms":1000,"in_flight":4,"rate":{"jobs":10,"per_ms":1000,"burst":20},"keep_ms":86400000,"max_jobs":2000000}"#
    );
    assert_eq!(crate::json::read::<QueueSettings>(&text).unwrap(), settings);
    assert_eq!(crate::json::read::<QueueSettings>("{}").unwrap(), QueueSettings::default());
}

#[test]
fn a_patch_sets_what_it_names_and_leaves_the_rest() {
    let usual = QueueSettings::default;
    let rate = Some(Rate { jobs: 10, per: Millis(1_000), burst: 20 });
    let other = QueueSettings {
        lease: Millis(1),
        attempts: 2,
        backoff: Millis(3),
        in_flight: Some(4),
        rate,
        keep: Millis(5),
        most: 6,
    };
    let text = serde_json::to_value(&other).unwrap();
    for (name, value) in text.as_object().unwrap() {
        let patch = SettingsPatch::of(other.clone(), |named| named == name);
        assert_eq!(serde_json::to_value(&patch).unwrap(), serde_json::json!({ name: value }));
        let mut settings = usual();
        patch.apply(&mut settings);
        let mut expected = serde_json::to_value(usual()).unwrap();
        expected[name] = value.clone();
        assert_eq!(serde_json::to_value(&settings).unwrap(), expected, "{name}");
    }
    let mut all = usual();
    SettingsPatch::from(other.clone()).apply(&mut all);
    assert_eq!(all, other);
    // What was set is taken back, which is not the same as leaving it.
    SettingsPatch { rate: Some(None), ..SettingsPatch::default() }.apply(&mut all);
    assert_eq!(all, QueueSettings { rate: None, ..other });
}
