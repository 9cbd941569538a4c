//! The `namespace!` declaration.

/// Declares a namespace: its name, its events with their payloads, classes, replies and refusals.
///
/// It makes, in the module that calls it, the marker type, the enums `Event` of the durable events,
/// `Signal` of the volatile and `Register` of the latest ones, the trait `Rules` with one method
/// per durable event and `work` for the jobs that come of them, and a [`Handler`](crate::event::Handler) for `Serve<R: Rules>`. A new event
/// without its rule, or one of any class without its arm in a view's `match`, does not compile:
///
/// ```
/// use holdfast_common::{event::*, limits::Limits};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// pub struct Rung {}
///
/// holdfast_common::namespace! {
///     /// A bell at a door.
///     Bell = "bell";
///     durable {
///         /// Somebody has rung.
///         Rung = "rung", rung -> (), String, counts: true, effect: |_| Effect::Adds;
///     }
///     volatile {}
///     latest {}
/// }
///
/// struct Careful;
/// impl Rules for Careful {
///     fn rung(&self, _: &Rung, _: &Facts, _: &Limits) -> Decision<Rung> {
///         Ok(())
///     }
/// }
/// assert_eq!(Serve(Careful).class("rung"), Some(Class::Durable));
/// ```
///
/// The same without the rule:
///
/// ```compile_fail
/// # use holdfast_common::{event::*, limits::Limits};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// # pub struct Rung {}
/// # holdfast_common::namespace! {
/// #     /// A bell at a door.
/// #     Bell = "bell";
/// #     durable {
/// #         /// Somebody has rung.
/// #         Rung = "rung", rung -> (), String, counts: true, effect: |_| Effect::Adds;
/// #     }
/// #     volatile {}
/// #     latest {}
/// # }
/// struct Forgetful;
/// impl Rules for Forgetful {} // `rung` has no rule
/// ```
///
/// A view has an arm for each event:
///
/// ```
/// use holdfast_common::chat::Event;
/// fn view(event: &Event) -> &str {
///     match event {
///         Event::Message(message) => &message.text,
///         Event::Edit(edit) => &edit.text,
///         Event::Delete(_) => "taken back",
///         Event::RoomCreated(room) => &room.name,
///     }
/// }
/// ```
///
/// The same without some of them:
///
/// ```compile_fail
/// use holdfast_common::chat::Event;
/// fn view(event: &Event) -> &str {
///     match event { Event::Message(message) => &message.text } // the others have no view
/// }
/// ```
///
/// What is volatile and what has registers is matched in the same way:
///
/// ```
/// use holdfast_common::chat::{ReadMarker, Register, Signal, Typing};
/// fn signal(signal: &Signal) -> &str {
///     match signal { Signal::Typing(Typing {}) => "somebody is writing" }
/// }
/// fn register(register: &Register) -> u64 {
///     match register { Register::ReadMarker(ReadMarker { offset }) => *offset }
/// }
/// ```
///
/// A view without an arm for each volatile event:
///
/// ```compile_fail
/// use holdfast_common::chat::Signal;
/// fn view(signal: &Signal) -> &str {
///     match signal {} // `Typing` has no view
/// }
/// ```
///
/// And one without an arm for each latest event:
///
/// ```compile_fail
/// use holdfast_common::chat::Register;
/// fn view(register: &Register) -> u64 {
///     match register {} // `ReadMarker` has no view
/// }
/// ```
#[macro_export]
macro_rules! namespace {
    (
        $(#[$doc:meta])* $space:ident = $space_name:literal;
        durable { $(
            $(#[$ddoc:meta])* $D:ident = $dname:literal, $dfn:ident -> $reply:ty, $refusal:ty,
            counts: $counts:literal, effect: $effect:expr;
        )* }
        volatile { $( $V:ident = $vname:literal; )* }
        latest { $( $L:ident = $lname:literal, reach: $reach:expr, rank: $rank:expr; )* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $space;

        /// The namespace's durable events.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event { $( $(#[$ddoc])* $D($D), )* }

        /// The namespace's volatile events.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Signal { $( #[doc = $vname] $V($V), )* }

        /// The namespace's latest events.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Register { $( #[doc = $lname] $L($L), )* }

        $(
            impl $crate::event::EventType for $D {
                const NAMESPACE: &'static str = $space_name;
                const NAME: &'static str = $dname;
                const CLASS: $crate::event::Class = $crate::event::Class::Durable;
            }
            impl $crate::event::Durable for $D {
                type Reply = $reply;
                type Refusal = $refusal;
                const COUNTS: bool = $counts;
                fn effect(&self) -> $crate::event::Effect {
                    let effect: fn(&Self) -> $crate::event::Effect = $effect;
                    effect(self)
                }
            }
        )*
        $(
            impl $crate::event::EventType for $V {
                const NAMESPACE: &'static str = $space_name;
                const NAME: &'static str = $vname;
                const CLASS: $crate::event::Class = $crate::event::Class::Volatile;
            }
            impl $crate::event::Volatile for $V {}
        )*
        $(
            impl $crate::event::EventType for $L {
                const NAMESPACE: &'static str = $space_name;
                const NAME: &'static str = $lname;
                const CLASS: $crate::event::Class = $crate::event::Class::Latest;
            }
            impl $crate::event::Latest for $L {
                const REACH: $crate::event::Reach = $reach;
                fn rank(&self) -> u64 {
                    let rank: fn(&Self) -> u64 = $rank;
                    rank(self)
                }
            }
        )*

        impl $crate::event::Namespace for $space {
            const NAME: &'static str = $space_name;
            type Event = Event;
            type Signal = Signal;
            type Register = Register;
            fn read(kind: &str, payload: &str) -> Option<Result<Event, serde_json::Error>> {
                match kind {
                    $( $dname => Some($crate::json::read::<$D>(payload).map(Event::$D)), )*
                    _ => None,
                }
            }
            #[allow(unused_variables)]
            fn read_signal(
                kind: &str,
                payload: &str,
            ) -> Option<Result<Signal, serde_json::Error>> {
                match kind {
                    $( $vname => Some($crate::json::read::<$V>(payload).map(Signal::$V)), )*
                    _ => None,
                }
            }
            #[allow(unused_variables)]
            fn read_register(
                kind: &str,
                payload: &str,
            ) -> Option<Result<Register, serde_json::Error>> {
                match kind {
                    $( $lname => Some($crate::json::read::<$L>(payload).map(Register::$L)), )*
                    _ => None,
                }
            }
        }

        /// What this namespace allows: one method per durable event, asked after the checks that
        /// every namespace shares.
        pub trait Rules: Send + Sync + 'static {
            $(
                $(#[$ddoc])*
                ///
                /// # Errors
                /// Why the event is not taken.
                fn $dfn(
                    &self,
                    event: &$D,
                    facts: &$crate::event::Facts,
                    limits: &$crate::limits::Limits,
                ) -> $crate::event::Decision<$D>;
            )*

            /// What is to be done with an event that its rule has allowed: the jobs are enqueued in
            /// the transaction that appends it, so both stand or none does. Nothing by default.
            #[allow(unused_variables)]
            fn work(
                &self,
                event: &Event,
                facts: &$crate::event::Facts,
                work: &mut $crate::job::Work,
            ) {
            }
        }

        /// The namespace with its rules, as the server mounts it.
        #[derive(Debug, Clone)]
        pub struct Serve<R>(pub R);

        struct Read<'a, R>(&'a R, Event);

        // By value: of a namespace without durable events there is none to refer to.
        impl<R: Rules> $crate::event::Parsed for Read<'_, R> {
            fn effect(&self) -> $crate::event::Effect {
                match self.1 {
                    $( Event::$D(ref event) => $crate::event::Durable::effect(event), )*
                }
            }
            fn counts(&self) -> bool {
                match self.1 { $( Event::$D(_) => <$D as $crate::event::Durable>::COUNTS, )* }
            }
            #[allow(unused_variables)]
            fn decide(
                &self,
                facts: &$crate::event::Facts,
                limits: &$crate::limits::Limits,
            ) -> $crate::event::Verified {
                match self.1 {
                    $( Event::$D(ref event) => {
                        $crate::event::verify::<$D>($space_name, facts, &self.effect(), || {
                            self.0.$dfn(event, facts, limits)
                        })
                    } )*
                }
            }
            fn work(&self, facts: &$crate::event::Facts) -> $crate::job::Work {
                let mut work = $crate::job::Work::default();
                self.0.work(&self.1, facts, &mut work);
                work
            }
        }

        impl<R: Rules> $crate::event::Handler for Serve<R> {
            fn namespace(&self) -> &'static str {
                $space_name
            }
            fn class(&self, kind: &str) -> Option<$crate::event::Class> {
                match kind {
                    $( $dname => Some($crate::event::Class::Durable), )*
                    $( $vname => Some($crate::event::Class::Volatile), )*
                    $( $lname => Some($crate::event::Class::Latest), )*
                    _ => None,
                }
            }
            fn parse<'a>(
                &'a self,
                kind: &str,
                payload: &[u8],
            ) -> Result<Box<dyn $crate::event::Parsed + 'a>, $crate::error::Code> {
                match kind {
                    $( $dname => $crate::event::payload::<$D>(payload)
                        .map(|event| Box::new(Read(&self.0, Event::$D(event))) as Box<dyn $crate::event::Parsed>), )*
                    _ => Err($crate::event::misfit(self.class(kind))),
                }
            }
            #[allow(unused_variables)]
            fn rank(
                &self,
                kind: &str,
                payload: &[u8],
            ) -> Result<$crate::event::Ranked, $crate::error::Code> {
                match kind {
                    $( $lname => $crate::event::payload::<$L>(payload)
                        .map(|event| $crate::event::ranked(&event)), )*
                    _ => Err($crate::event::misfit(self.class(kind))),
                }
            }
            fn tells_registers(&self) -> bool {
                let reaches: &[$crate::event::Reach] =
                    &[$( <$L as $crate::event::Latest>::REACH, )*];
                reaches.contains(&$crate::event::Reach::Room)
            }
            #[allow(unused_variables)]
            fn signal(&self, kind: &str, payload: &[u8]) -> Result<(), $crate::error::Code> {
                match kind {
                    $( $vname => $crate::event::payload::<$V>(payload).map(|_| ()), )*
                    _ => Err($crate::event::misfit(self.class(kind))),
                }
            }
        }
    };
}
