//! Carrying out what the tabs' machine puts out.

use super::{driver::Driver, events::Event, lock, update::Update};
use holdfast_common::{
    client::{self, Input},
    tabs::{self, Output},
};
use wasm_bindgen_futures::spawn_local;

impl Driver {
    /// Feeds the tabs' machine and carries out what it says.
    pub(super) fn tabs(&mut self, input: tabs::Input) {
        for output in self.tabs.handle(super::clock::now(), input) {
            self.do_among_tabs(output);
        }
    }

    fn do_among_tabs(&mut self, output: Output) {
        match output {
            Output::Say(word) => self.channel.say(&word),
            Output::WantLock { steal } => self.want_lock(steal),
            Output::Load => self.load(),
            Output::Present => {
                if let Some(loaded) = self.loaded.take() {
                    self.tell(Update::Loaded(loaded));
                }
            }
            Output::Lead { run } => self.lead(run),
            Output::Resign => {
                self.give_up_client();
                self.lock = None;
            }
            Output::Leading(leads) => self.tell(Update::Leading(leads)),
            Output::Apply(writes) => self.tell(Update::Applied(writes)),
            Output::Show(show) => self.tell(Update::Show(show)),
            Output::Row(row) => self.client(Input::Added(row)),
            Output::Command(command) => self.command(command),
            Output::Woke => self.client(Input::Woke),
            Output::Tick => self.client(Input::Tick),
            Output::Fetch(asked) => self.fetch(asked),
            Output::Sweep => {
                let (db, events) = (self.db.clone(), self.events.clone());
                spawn_local(async move { events.post(Event::Swept(db.row_keys().await)) });
            }
        }
    }

    fn want_lock(&mut self, steal: bool) {
        self.lock = None;
        self.locks += 1;
        let number = self.locks;
        let (events, robbed) = (self.events.clone(), self.events.clone());
        lock::request(
            steal,
            move |lock| events.post(Event::Granted(number, lock)),
            move || robbed.post(Event::Stolen(number)),
        );
    }

    fn fetch(&mut self, asked: Vec<client::Key>) {
        let (db, events) = (self.db.clone(), self.events.clone());
        spawn_local(async move {
            let result = db.rows(&asked).await;
            events.post(Event::Fetched { asked, result });
        });
    }
}
