use super::*;

fn take(model: &mut Model, seq: u64, deed: Deed) {
    model.take(Record { seq, at: seq, deed });
}

fn opened(model: &mut Model, seq: u64) {
    take(model, seq, Deed::Opened { file: 0, name: "log".into() });
}

fn wrote(model: &mut Model, seq: u64, place: u64, data: &[u8]) {
    take(model, seq, Deed::Wrote { file: 0, place, data: data.to_vec() });
}

/// A disk with a file of one synced byte.
fn one() -> Model {
    let mut model = Model::default();
    opened(&mut model, 1);
    wrote(&mut model, 2, 0, b"a");
    take(&mut model, 3, Deed::Synced { file: 0, upto: 2 });
    take(&mut model, 4, Deed::FolderSynced { upto: 3 });
    model
}

fn image(model: &Model, unsynced: Unsynced) -> Image {
    model.image(unsynced, &mut Chance::new(1, "image", 0))
}

#[test]
fn what_was_synced_is_there_and_what_was_not_may_be_lost() {
    let mut model = one();
    wrote(&mut model, 5, 1, b"b");
    assert_eq!(image(&model, Unsynced::Lost)["log"], b"a");
    assert_eq!(image(&model, Unsynced::Kept)["log"], b"ab");
}

#[test]
fn a_sync_is_of_what_was_written_before_it_began() {
    let mut model = one();
    wrote(&mut model, 5, 1, b"b");
    take(&mut model, 6, Deed::Synced { file: 0, upto: 4 });
    assert_eq!(image(&model, Unsynced::Lost)["log"], b"a");
    take(&mut model, 7, Deed::Synced { file: 0, upto: 6 });
    assert_eq!(image(&model, Unsynced::Lost)["log"], b"ab");
}

#[test]
fn a_name_whose_folder_was_not_synced_may_be_lost_with_its_file() {
    let mut model = Model::default();
    opened(&mut model, 1);
    wrote(&mut model, 2, 0, b"a");
    take(&mut model, 3, Deed::Synced { file: 0, upto: 2 });
    assert!(image(&model, Unsynced::Lost).is_empty());
    assert_eq!(image(&model, Unsynced::Kept)["log"], b"a");
}

#[test]
fn a_write_is_torn_between_sectors_and_never_within_one() {
    let mut model = one();
    wrote(&mut model, 5, 0, &[7; 5 * SECTOR]);
    let mut torn = 0;
    for n in 0..50 {
        let image = model.image(Unsynced::Sectors, &mut Chance::new(n, "image", 0));
        let whole = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[sector.len() - 1]);
        // The first one has the byte that was synced, or is all new.
        assert!(image["log"].chunks(SECTOR).skip(1).all(whole));
        torn += usize::from(image["log"].contains(&7) && image["log"].contains(&0));
    }
    assert!(torn > 20, "{torn} of 50 were torn");
}

#[test]
fn what_a_failed_sync_lost_no_later_one_brings_back() {
    let mut model = one();
    wrote(&mut model, 5, 1, b"b");
    take(&mut model, 6, Deed::Fault { file: 0, fault: Fault::FailSync as u64 });
    wrote(&mut model, 7, 2, b"c");
    take(&mut model, 8, Deed::Synced { file: 0, upto: 7 });
    assert_eq!(image(&model, Unsynced::Lost)["log"], b"a\0c");
}

#[test]
fn a_file_that_was_cut_and_not_synced_has_its_old_length_or_the_new_one() {
    let mut model = one();
    take(&mut model, 5, Deed::Truncated { file: 0, length: 0 });
    assert_eq!(image(&model, Unsynced::Lost)["log"], b"a");
    assert_eq!(image(&model, Unsynced::Kept)["log"], b"");
}
