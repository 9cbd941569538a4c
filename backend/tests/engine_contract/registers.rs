//! Of a register's values the greatest stands.

use super::rig::*;
use holdfast_common::{
    frame::LatestSet,
    id::{PersonId, RoomId},
};
use serde_json::value::RawValue;

contract! {
    the_greatest_rank_stands
    a_resume_has_the_persons_own_registers
}

fn read_to(room: RoomId, person: PersonId, rank: u64) -> LatestSet {
    LatestSet {
        ns: NS.to_owned(),
        room,
        kind: "read".to_owned(),
        person,
        rank,
        data: RawValue::from_string(format!(r#"{{"offset":{rank}}}"#)).unwrap(),
    }
}

async fn the_greatest_rank_stands(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    for (rank, stands) in [(5, 5), (3, 5), (5, 5), (8, 8), (u64::MAX, u64::MAX), (9, u64::MAX)] {
        let stored = rig.engine.set_latest(read_to(room, ada, rank)).await;
        assert_eq!(stored, Ok(stands));
    }
    let other = rig.engine.set_latest(read_to(rig.room().await, ada, 1)).await;
    assert_eq!(other, Ok(1));
}

async fn a_resume_has_the_persons_own_registers(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    rig.engine.set_latest(read_to(room, ada.person, 4)).await.unwrap();
    rig.engine.set_latest(read_to(room, person(), 7)).await.unwrap();
    ada.generation += 1;
    let resume = rig.resume(ada.greeting()).await;
    assert_eq!(resume.latest.len(), 1);
    let own = &resume.latest[0];
    assert_eq!((own.room, own.person, own.rank), (room, ada.person, 4));
    assert_eq!(own.data.get(), r#"{"offset":4}"#);
    rig.engine.delete_room(room).await.unwrap();
    ada.generation += 1;
    assert!(rig.resume(ada.greeting()).await.latest.is_empty());
}
