//! A log is read in order, in parts, and without a hole between them.

use super::rig::*;
use holdfast_common::{
    cursor::Mark,
    frame::Folded,
    id::{EventId, PersonId, RoomId},
    storage::Folds,
};

contract! {
    a_slice_goes_on_behind_its_offset
    a_slice_ends_at_so_many_entries_or_bytes
    an_unknown_room_is_none
    what_an_append_answered_is_read_at_once
    pages_tile_the_log_without_hole_or_overlap
    pages_that_end_at_so_many_bytes_tile_too
    a_page_ends_before_the_item_that_is_too_much
    a_page_counts_items_and_not_what_changed_them
    a_page_says_when_nothing_older_is_left
    a_page_before_the_beginning_is_empty
    what_lies_before_a_page_is_counted
    a_trimmed_log_starts_at_its_first_entry
    a_trim_ends_at_the_head_and_never_goes_back
    a_trimmed_event_is_found_and_stays_taken
    ids_are_found_where_they_stand
}

async fn a_slice_goes_on_behind_its_offset(rig: Rig) {
    let room = rig.room().await;
    rig.messages(room, 9).await;
    let whole = rig.slice(room, 0).await;
    assert_chained(&whole);
    assert!(whole.trimmed_mark.is_none());
    let rest = rig.slice(room, 6).await;
    assert_eq!(rest.entries, whole.entries[6..]);
    assert_eq!(rest.head, whole.head);
    for after in [10, 11, u64::MAX] {
        assert!(rig.slice(room, after).await.entries.is_empty());
    }
}

async fn a_slice_ends_at_so_many_entries_or_bytes(rig: Rig) {
    let room = rig.room().await;
    rig.messages(room, 9).await;
    let part = rig.engine.slice(room, 2, 3, usize::MAX).await.unwrap().unwrap();
    assert!(part.entries.iter().map(|(offset, _)| *offset).eq(3..=5));
    let bytes = part.entries.iter().map(|(_, text)| text.len()).sum();
    let fitting = rig.engine.slice(room, 2, 99, bytes).await.unwrap().unwrap();
    assert_eq!(fitting.entries, part.entries);
    let less = rig.engine.slice(room, 2, 99, bytes - 1).await.unwrap().unwrap();
    assert_eq!(less.entries, part.entries[..2]);
    let one = rig.engine.slice(room, 2, 99, 0).await.unwrap().unwrap();
    assert_eq!(one.entries, part.entries[..1], "the first entry goes whatever its size");
}

async fn an_unknown_room_is_none(rig: Rig) {
    let room = room_id();
    assert!(rig.engine.slice(room, 0, 9, 9).await.unwrap().is_none());
    assert!(rig.engine.page(room, None, 9, usize::MAX, None).await.unwrap().is_none());
    assert!(rig.engine.find(PersonId::NIL, room, vec![event()]).await.unwrap().is_none());
    assert!(rig.engine.trim(room, 1).await.unwrap().is_none());
}

async fn what_an_append_answered_is_read_at_once(rig: Rig) {
    let room = rig.room().await;
    for _ in 0..50 {
        let new = rig.entry(message(room, PersonId::NIL, "read me")).await;
        assert_eq!(rig.slice(room, 0).await.head.cursor(), cursor(&new));
    }
}

/// Forty messages with edits and removals between and behind them.
async fn lively(rig: &Rig, room: RoomId) {
    let mut ids: Vec<EventId> = Vec::new();
    for n in 0..40 {
        ids.push(rig.entry(message(room, PersonId::NIL, "said")).await.entry.id);
        for back in [1, 2, 7] {
            if n % (back + 2) == 0 && n >= back {
                let target = ids[n - back];
                rig.put(edit(room, PersonId::NIL, target, "edited")).await;
            }
        }
        if n % 9 == 5 {
            rig.put(delete(room, PersonId::NIL, ids[n - 3])).await;
        }
    }
    for target in &ids[20..30] {
        rig.put(edit(room, PersonId::NIL, *target, "much later")).await;
    }
}

/// From the newest page to the oldest.
async fn pages(rig: &Rig, room: RoomId, limit: u32) -> Vec<Folds> {
    let mut pages = vec![rig.page(room, None, limit).await];
    loop {
        let last = &pages[pages.len() - 1];
        if last.from == last.head.first {
            return pages;
        }
        pages.push(rig.page(room, Some(last.from), limit).await);
    }
}

async fn pages_tile_the_log_without_hole_or_overlap(rig: Rig) {
    let room = rig.room().await;
    lively(&rig, room).await;
    for trimmed in [1, 17] {
        rig.engine.trim(room, trimmed).await.unwrap();
        let whole = rig.page(room, None, 1000).await;
        let offsets =
            |page: &Folds| -> Vec<_> { page.items.iter().map(|item| item.entry.offset).collect() };
        for limit in [1, 2, 7, 39, 40, 41, 500] {
            let mut pages = pages(&rig, room, limit).await;
            pages.reverse();
            assert_eq!(pages[0].from, trimmed);
            for pair in pages.windows(2) {
                assert_eq!(pair[1].from, pair[0].to + 1);
            }
            assert_eq!(pages[pages.len() - 1].to, whole.head.offset);
            for page in &pages {
                assert!(page.items.len() <= limit as usize);
                assert!(offsets(page).iter().all(|at| (page.from..=page.to).contains(at)));
            }
            let tiled: Vec<_> = pages.iter().flat_map(offsets).collect();
            assert_eq!(tiled, offsets(&whole));
            let seen: Vec<_> = pages.iter().flat_map(|page| page.items.iter().map(shown)).collect();
            assert_eq!(seen, whole.items.iter().map(shown).collect::<Vec<_>>());
        }
    }
}

fn size(item: &Folded) -> usize {
    let text = |entry| holdfast_common::codec::write_entry(entry).len();
    text(&item.entry) + item.change.as_ref().map_or(0, text)
}

async fn pages_that_end_at_so_many_bytes_tile_too(rig: Rig) {
    let room = rig.room().await;
    lively(&rig, room).await;
    rig.engine.trim(room, 9).await.unwrap();
    let whole = rig.page(room, None, 1000).await;
    let all: usize = whole.items.iter().map(size).sum();
    for most in [0, 1, 300, 600, 900, 5_000, all - 1, all] {
        let (mut before, mut tiled) = (None, Vec::new());
        loop {
            let page = rig.engine.page(room, before, 7, most, None).await.unwrap().unwrap();
            let bytes: usize = page.items.iter().map(size).sum();
            assert!(page.items.len() == 1 || (page.items.len() <= 7 && bytes <= most));
            assert_eq!(page.to, before.map_or(whole.head.offset, |before| before - 1));
            assert!(page.from <= page.items[0].entry.offset);
            tiled.splice(0..0, page.items.iter().map(|item| shown(item).to_owned()));
            if page.from == page.head.first {
                break;
            }
            before = Some(page.from);
        }
        assert_eq!(tiled, whole.items.iter().map(shown).collect::<Vec<_>>(), "{most} bytes");
    }
}

async fn a_page_ends_before_the_item_that_is_too_much(rig: Rig) {
    let room = rig.room().await;
    let said = rig.messages(room, 8).await;
    rig.entry(edit(room, PersonId::NIL, said[6].entry.id, "edited")).await;
    let page = async |most| rig.engine.page(room, None, 99, most, Some(2)).await.unwrap().unwrap();
    let whole = page(usize::MAX).await;
    let last_two: usize = whole.items[7..].iter().map(size).sum();
    for (most, from, skipped) in
        [(last_two, 8, 5), (last_two - 1, 9, 6), (0, 9, 6), (usize::MAX, 1, 0)]
    {
        let page = page(most).await;
        assert_eq!((page.from, page.to, page.skipped), (from, 10, skipped), "{most} bytes");
        assert_eq!(page.items.len() as u64, 10 - from);
        assert_eq!(page.items[0].entry.offset, from);
    }
}

async fn a_page_counts_items_and_not_what_changed_them(rig: Rig) {
    let room = rig.room().await;
    let entries = rig.messages(room, 3).await;
    for n in 0..20 {
        let text = format!("v{n}");
        rig.entry(edit(room, PersonId::NIL, entries[0].entry.id, &text)).await;
    }
    let page = rig.page(room, None, 2).await;
    assert_eq!((page.from, page.to, page.items.len()), (3, 24, 2));
    let page = rig.page(room, Some(3), 1).await;
    assert_eq!((page.from, page.to), (2, 2));
    assert_eq!(shown(&page.items[0]), r#"{"text":"v19"}"#, "folded as of the head");
}

async fn a_page_says_when_nothing_older_is_left(rig: Rig) {
    let room = rig.room().await;
    rig.messages(room, 3).await;
    let exact = rig.page(room, None, 4).await;
    assert_eq!((exact.from, exact.items.len()), (1, 4));
    let less = rig.page(room, None, 3).await;
    assert_eq!((less.from, less.items.len()), (2, 3));
    // What is left below is no item: the page takes it along.
    rig.engine.trim(room, 3).await.unwrap();
    let target = rig.page(room, None, 9).await.items[0].entry.id;
    rig.entry(edit(room, PersonId::NIL, target, "edited")).await;
    rig.messages(room, 1).await;
    rig.engine.trim(room, 5).await.unwrap();
    let page = rig.page(room, None, 1).await;
    assert_eq!((page.from, page.to, page.items.len()), (5, 6, 1));
}

async fn a_page_before_the_beginning_is_empty(rig: Rig) {
    let room = rig.room().await;
    rig.messages(room, 5).await;
    rig.engine.trim(room, 4).await.unwrap();
    for before in [0, 1, 3, 4] {
        let page = rig.page(room, Some(before), 9).await;
        assert!(page.from > page.to && page.items.is_empty());
        assert_eq!(page.from, 4);
    }
    let beyond = rig.page(room, Some(u64::MAX), 9).await;
    assert_eq!((beyond.from, beyond.to, beyond.items.len()), (4, 6, 3));
    rig.engine.trim(room, 99).await.unwrap();
    let empty = rig.page(room, None, 9).await;
    assert_eq!((empty.from, empty.to), (7, 6));
}

async fn what_lies_before_a_page_is_counted(rig: Rig) {
    let room = rig.room().await;
    let entries = rig.messages(room, 10).await;
    rig.entry(edit(room, PersonId::NIL, entries[0].entry.id, "edited")).await;
    for (since, skipped) in [(0, 8), (1, 8), (4, 5), (8, 1), (9, 0), (12, 0), (u64::MAX, 0)] {
        let page = rig.engine.page(room, None, 2, usize::MAX, Some(since)).await.unwrap().unwrap();
        assert_eq!((page.from, page.skipped), (10, skipped), "since {since}");
    }
    assert_eq!(rig.page(room, None, 2).await.skipped, 0, "nobody asked");
    rig.engine.trim(room, 4).await.unwrap();
    let page = rig.engine.page(room, None, 2, usize::MAX, Some(0)).await.unwrap().unwrap();
    assert_eq!(page.skipped, 6, "what was trimmed is told as a gap");
}

async fn a_trimmed_log_starts_at_its_first_entry(rig: Rig) {
    let room = rig.room().await;
    let said = rig.messages(room, 5).await;
    let before = rig.slice(room, 3).await;
    let trimmed = rig.engine.trim(room, 4).await.unwrap().unwrap();
    assert_eq!(trimmed.first, 4);
    for after in [0, 2] {
        let slice = rig.slice(room, after).await;
        assert_eq!(slice.entries, before.entries);
        assert_eq!(slice.trimmed_mark, Some(said[1].entry.mark));
        assert_eq!((slice.head.first, slice.head.offset), (4, 6));
    }
    assert!(rig.slice(room, 3).await.trimmed_mark.is_none());
    assert_eq!(said[1].entry.mark.next(4, said[2].entry.id), said[2].entry.mark);
}

async fn a_trim_ends_at_the_head_and_never_goes_back(rig: Rig) {
    let room = rig.room().await;
    let said = rig.messages(room, 2).await;
    let trim = async |first| rig.engine.trim(room, first).await.unwrap().unwrap().first;
    assert_eq!(trim(3).await, 3);
    assert_eq!(trim(1).await, 3);
    assert_eq!(trim(u64::MAX).await, 4);
    let slice = rig.slice(room, 0).await;
    assert!(slice.entries.is_empty());
    assert_eq!(slice.trimmed_mark, Some(said[1].entry.mark));
    let next = rig.messages(room, 1).await;
    assert_eq!(next[0].entry.mark, said[1].entry.mark.next(4, next[0].entry.id));
    assert_ne!(next[0].entry.mark, Mark::START);
}

async fn a_trimmed_event_is_found_and_stays_taken(rig: Rig) {
    let room = rig.room().await;
    let append = message(room, PersonId::NIL, "once");
    let id = append.id;
    rig.entry(append.clone()).await;
    rig.messages(room, 3).await;
    rig.engine.trim(room, 5).await.unwrap();
    assert_eq!(acked(&rig.put(append.clone()).await), 2);
    let found = rig.engine.find(PersonId::NIL, room, vec![id]).await.unwrap().unwrap();
    assert_eq!(found.1, [(id, 2)]);
    // Nor is it there to be changed.
    let target = rig.read_facts(edit(room, PersonId::NIL, id, "late")).await;
    assert_eq!(target.versions.target, 0);
    let removed = rig.messages(room, 1).await[0].entry.id;
    rig.entry(delete(room, PersonId::NIL, removed)).await;
    let again = message(room, PersonId::NIL, "removed");
    assert_eq!(acked(&rig.put(holdfast_common::storage::Append { id: removed, ..again }).await), 6);
}

async fn ids_are_found_where_they_stand(rig: Rig) {
    let (room, other) = (rig.room().await, rig.room().await);
    let said = rig.messages(room, 3).await;
    let elsewhere = rig.messages(other, 1).await;
    let ids = vec![said[2].entry.id, event(), elsewhere[0].entry.id, said[0].entry.id];
    let (epoch, found) = rig.engine.find(PersonId::NIL, room, ids).await.unwrap().unwrap();
    assert_eq!(epoch, said[0].epoch);
    assert_eq!(found, [(said[2].entry.id, 4), (said[0].entry.id, 2)]);
}
