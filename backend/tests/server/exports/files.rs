//! What becomes of an export where its file cannot be written, or the server is killed. What stands under
//! the name that a lease will write to is put there before: a full device, or a pipe that takes no more.

use super::*;
use std::{fs, io::Read as _, path::PathBuf, process::Command};

/// The leases that a new folder gives first.
const FENCES: std::ops::RangeInclusive<u64> = 1..=5;

/// Asks for an export that does not begin yet, and has `put` stand where its first leases write.
async fn held(server: SocketAddr, folder: &Path, put: impl Fn(PathBuf)) -> String {
    assert_eq!(post(server, &format!("{QUEUE}/pause"), "").await.status, 200);
    let job = begin(server).await;
    fs::create_dir_all(folder).unwrap();
    for fence in FENCES {
        put(folder.join(format!("{job}.{fence}.part")));
    }
    assert_eq!(post(server, &format!("{QUEUE}/resume"), "").await.status, 200);
    job
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn on_a_full_disk_an_export_fails_for_now_and_is_whole_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let to = exports(folder.path()).folder;
    let own = to.clone();
    let rig = start(|exports| Exports { folder: own, ..exports }).await;
    say_much(rig.address).await;
    let full = |path| std::os::unix::fs::symlink("/dev/full", path).unwrap();
    let job = held(rig.address, &to, full).await;
    let begun = Instant::now();
    loop {
        let now = get(rig.address, &format!("/api/v1/holdfast/jobs/{job}")).await.json();
        if let Some(error) = now["errors"][0]["error"].as_str() {
            assert!(error.starts_with("storage_full: "), "{error}");
            break;
        }
        assert_eq!(names(&to).iter().filter(|name| name.ends_with(".jsonl")).count(), 0);
        assert!(begun.elapsed() < PATIENCE, "{now}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.get("/readyz").await.status, 200, "events are taken all the while");
    for fence in FENCES {
        // Those that were tried are gone.
        let _ = fs::remove_file(to.join(format!("{job}.{fence}.part")));
    }
    is_whole(rig.address, &job).await;
    assert!(until(rig.address, &job, "done").await["attempt"].as_u64().unwrap() > 1);
}

/// An export of which a part has been written, and which cannot go on until the pipe is read or dropped.
async fn in_the_middle(server: SocketAddr, to: &Path) -> (String, fs::File) {
    let pipe = |path: PathBuf| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let job = held(server, to, pipe).await;
    let first = to.join(format!("{job}.1.part"));
    let read = tokio::task::spawn_blocking(move || {
        let mut pipe = fs::File::open(first).unwrap();
        let mut some = vec![0; 200_000];
        pipe.read_exact(&mut some).unwrap();
        (pipe, some)
    });
    let (pipe, some) = tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
    assert!(some.starts_with(b"{\"offset\":1,"));
    (job, pipe)
}

#[tokio::test]
async fn an_export_keeps_its_lease_on_a_slow_disk_and_leaves_nothing_when_it_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let to = exports(folder.path()).folder;
    let own = to.clone();
    let rig = start(|exports| Exports { folder: own, ..exports }).await;
    say_much(rig.address).await;
    let lease = r#"{"lease_ms":2000}"#;
    assert_eq!(post(rig.address, &format!("{QUEUE}/settings"), lease).await.status, 200);
    let (job, mut pipe) = in_the_middle(rig.address, &to).await;
    let begun = Instant::now();
    loop {
        let now = until(rig.address, &job, "leased").await;
        assert_eq!(now["attempt"], 1, "{now}");
        // A second after it has begun it says how far it is.
        if now["age_ms"].as_u64().unwrap() > 5_000 && begun.elapsed().as_secs() > 1 {
            break;
        }
    }
    // To the middle of what the second read of the log has brought: all of the first is written.
    let drain = tokio::task::spawn_blocking(move || {
        pipe.read_exact(&mut vec![0; 1_200_000]).unwrap();
        pipe
    });
    let pipe = tokio::time::timeout(PATIENCE, drain).await.unwrap().unwrap();
    let now = until(rig.address, &job, "leased").await;
    let percent = now["progress"].as_u64().unwrap();
    assert!((1..=99).contains(&percent), "{now}");
    assert!(now["note"].as_str().unwrap().ends_with(" of 41 entries"), "{now}");
    let cancel = format!("/api/v1/holdfast/jobs/{job}/cancel");
    assert_eq!(post(rig.address, &cancel, "").await.status, 200);
    drop(pipe);
    let begun = Instant::now();
    while to.join(format!("{job}.1.part")).exists() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(names(&to).iter().filter(|name| name.ends_with(".jsonl")).count(), 0);
    let after = begin(rig.address).await;
    is_whole(rig.address, &after).await;
}

#[tokio::test]
async fn an_export_that_takes_long_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let to = exports(folder.path()).folder;
    let own = to.clone();
    let rig = start(|exports| Exports { folder: own, ..exports }).await;
    say_much(rig.address).await;
    let (long, mut pipe) = in_the_middle(rig.address, &to).await;
    for _ in 0..2 {
        let other = begin(rig.address).await;
        is_whole(rig.address, &other).await;
    }
    assert_eq!(until(rig.address, &long, "leased").await["attempt"], 1);
    let drain = move || pipe.read_to_end(&mut Vec::new());
    tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(drain))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    // A pipe cannot be synced: what is asserted of it is that it was written to its end.
}

#[tokio::test]
async fn killed_in_the_middle_an_export_ends_once_and_whole_by_the_next_server() {
    let folder = tempfile::tempdir().unwrap();
    let to = exports(folder.path()).folder;
    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let server = address.parse().unwrap();
    say_much(server).await;
    let (job, pipe) = in_the_middle(server, &to).await;
    file(server, &job).await.is(409, "wrong_state");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);
    assert_eq!(names(&to).iter().filter(|name| name.ends_with(".jsonl")).count(), 0);

    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let server = address.parse().unwrap();
    is_whole(server, &job).await;
    let done = until(server, &job, "done").await;
    assert_eq!((&done["attempt"], done["errors"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(get(server, QUEUE).await.json()["done"], 1);
    let names = names(&to);
    assert!(names.len() == 1 && names[0].ends_with(".jsonl"), "{names:?}");
    terminate(&child);
    assert!(child.wait().unwrap().success());
}
