use super::*;
use holdfast_common::{
    cursor::Mark,
    frame::{Author, Entry},
    id::{Epoch, EventId, PersonId},
    time::Timestamp,
};
use std::future::ready;

const ROOM: RoomId = RoomId::NIL;

/// A hub that panics at the first entry, and remembers what stands.
#[derive(Default)]
struct Frail {
    published: Mutex<Vec<Offset>>,
    stood: Mutex<Vec<Offset>>,
}

impl Tell for Frail {
    fn publish(&self, entry: &NewEntry) {
        assert!(entry.entry.offset > 1, "the first one is too much");
        self.published.lock().unwrap().push(entry.entry.offset);
    }

    fn stands(&self, room: RoomId, offset: Offset) {
        assert_eq!(room, ROOM);
        self.stood.lock().unwrap().push(offset);
    }

    fn moved(&self, _: &Moves) {}
}

fn ack(offset: Offset) -> Verdict {
    Verdict::Ack { id: EventId::NIL, epoch: Epoch::NIL, offset, reply: "null".to_owned() }
}

fn decided(offset: Offset) -> Appended {
    let from = Author { id: PersonId::NIL, name: "me".to_owned() };
    let (id, kind, at) = (EventId::NIL, "message".to_owned(), Timestamp(0));
    let entry = Entry { offset, mark: Mark::START, id, kind, from, at, data: None };
    let (room, epoch) = (ROOM, Epoch::NIL);
    let entry = NewEntry { room, epoch, entry, created: None, owner: None };
    Appended::decided(ack(offset), Some(Box::new(entry)))
}

/// What has been told when all these were answered, and that all of them were.
async fn told(appends: Vec<Appended>) -> Arc<Frail> {
    let hub = Arc::new(Frail::default());
    let (sender, jobs) = mpsc::unbounded_channel();
    let mut answers = Vec::new();
    for appended in appends {
        let (answer, answered) = oneshot::channel();
        let (append, submitted) = (ready(appended).boxed(), Instant::now());
        let job = Job { _place: None, room: ROOM, append, submitted, answer };
        assert!(sender.send(job).is_ok());
        answers.push(answered);
    }
    drop(sender);
    publish(jobs, Arc::clone(&hub), Arc::default()).await;
    for answered in answers {
        answered.await.unwrap();
    }
    hub
}

#[tokio::test]
async fn a_panic_while_a_room_is_told_ends_no_publishing_and_its_readers_learn_of_the_entry() {
    let hub = told(vec![decided(1), decided(2)]).await;
    assert_eq!(*hub.published.lock().unwrap(), [2]);
    assert_eq!(*hub.stood.lock().unwrap(), [1]);
}

#[tokio::test]
async fn an_ack_that_is_told_again_makes_known_that_its_entry_stands() {
    let unknown = Appended::Fault(Fault::Unknown("the connection was lost".to_owned()));
    let hub = told(vec![decided(2), unknown, Appended::Again(ack(3))]).await;
    assert_eq!(*hub.published.lock().unwrap(), [2]);
    assert_eq!(*hub.stood.lock().unwrap(), [3]);
}
