//! What is asked of the desk. A call goes on when its caller is gone.

use super::{desk::Desk, line::Fetched};
use crate::failpoint;
use futures_util::FutureExt;
use holdfast_common::{
    job::NewJob,
    storage::{
        Fault,
        jobs::{
            By, Chosen, Claim, Claimed, Deed, End, Ended, Enqueue, Enqueued, Extend, Extended,
            Govern, Governed, LeasedJob, Moves, Promise, QueueName, Wanted,
        },
    },
    time::Millis,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

impl Desk {
    /// Enqueues jobs. Those who wait for them have them with the same commit.
    pub(crate) async fn enqueue(
        self: &Arc<Self>,
        jobs: Vec<NewJob>,
        promise: Option<Promise>,
    ) -> Result<Enqueued, Fault> {
        self.submit(jobs, promise).await.await
    }

    /// Has an enqueue reach the engine, and returns its answer, which is still to come. Jobs that are
    /// submitted later are behind these.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        jobs: Vec<NewJob>,
        promise: Option<Promise>,
    ) -> impl Future<Output = Result<Enqueued, Fault>> {
        let turn = self.turn().await;
        let desk = Arc::clone(self);
        let errands = self.offer(&jobs);
        let then = errands.iter().map(|errand| errand.claim.clone()).collect();
        let submitted = self.engine.enqueue(Enqueue { jobs, promise, then });
        self.carried(async move {
            let _turn = turn;
            match desk.ask(submitted).await {
                Ok((Enqueued::Made { ids, claimed }, moves)) => {
                    failpoint::after_commit();
                    let claimed = errands.into_iter().zip(claimed);
                    let claimed = claimed.map(|(errand, got)| (errand.consumer, errand.claim, got));
                    desk.claimed(claimed.collect(), &moves);
                    Ok(Enqueued::Made { ids, claimed: Vec::new() })
                }
                Ok((other, moves)) => {
                    for errand in errands {
                        desk.fetched(errand.consumer, Fetched::Untried);
                    }
                    desk.moved(&moves);
                    Ok(other)
                }
                Err(fault) => {
                    for errand in errands {
                        desk.fetched(errand.consumer, Fetched::Failed);
                    }
                    Err(fault)
                }
            }
        })
    }

    fn offer(&self, jobs: &[NewJob]) -> Vec<super::line::Errand> {
        let mut offers = BTreeMap::<(&str, &str), u32>::new();
        for job in jobs.iter().filter(|job| job.delay == Millis(0)) {
            *offers.entry((&job.ns, &job.queue)).or_default() += 1;
        }
        let now = self.now();
        let mut state = self.state();
        let errands = offers.into_iter().flat_map(|((ns, queue), jobs)| {
            let (ns, name) = (ns.to_owned(), queue.to_owned());
            state.line.offer(now, Arc::new(QueueName { ns, name }), jobs)
        });
        errands.collect()
    }

    /// Claims jobs at once, if there are any.
    pub(crate) async fn claim(self: &Arc<Self>, claim: Claim) -> Result<(Claimed, Moves), Fault> {
        let turn = self.turn().await;
        let desk = Arc::clone(self);
        let mine = Owed::nothing(self);
        let claimed = self.carried(async move {
            let _turn = turn;
            let (claimed, moves) = desk.ask(desk.engine.claim(claim.clone())).await?;
            if !moves.queues.is_empty() {
                failpoint::after_commit();
            }
            desk.moved(&moves);
            let (owed, claimed) = desk.owe(mine, claim.wanted, claimed).await?;
            Ok((owed, claimed, moves))
        });
        let (mut owed, claimed, moves) = claimed.await?;
        owed.jobs.clear();
        Ok((claimed, moves))
    }

    /// Has jobs that were claimed for a caller given back if that one is gone.
    async fn owe(
        &self,
        mut owed: Owed,
        wanted: Wanted,
        claimed: Claimed,
    ) -> Result<(Owed, Claimed), Fault> {
        if let Claimed::Jobs { jobs, .. } = &claimed {
            owed.jobs.clone_from(jobs);
            match wanted {
                Wanted::Of { ns, queue, .. } => self.gave(&ns, &queue, jobs),
                Wanted::Job(id) => {
                    if let Some(about) = self.about(id).await? {
                        self.gave(&about.ns, &about.queue, jobs);
                    }
                }
            }
        }
        Ok((owed, claimed))
    }

    /// Ends a lease. Returns what became of it, and the [version](Moves::version) of that change.
    pub(crate) async fn end(self: &Arc<Self>, end: End) -> Result<(Ended, u64), Fault> {
        let turn = self.turn().await;
        let desk = Arc::clone(self);
        let mine = Owed::nothing(self);
        let ended = self.carried(async move {
            let _turn = turn;
            let wanted = end.then.as_ref().map(|claim| claim.wanted.clone());
            let rooms: Vec<_> = end.appends.iter().map(|append| append.room).collect();
            let (mut ended, moves) = desk.ask(desk.engine.end(end)).await?;
            if let Ended::Done { .. } = &ended {
                failpoint::after_commit();
            }
            desk.publish(&rooms, &ended);
            desk.moved(&moves);
            let mut owed = mine;
            if let (Some(wanted), Ended::Done { then: Some(then), .. }) = (wanted, &mut ended) {
                let got = std::mem::replace(then, Claimed::UnknownQueue);
                (owed, *then) = desk.owe(owed, wanted, got).await?;
            }
            Ok((owed, ended, moves.version))
        });
        let (mut owed, ended, version) = ended.await?;
        owed.jobs.clear();
        Ok((ended, version))
    }

    /// Has leases go on from now.
    pub(crate) async fn extend(self: &Arc<Self>, extend: Extend) -> Result<Vec<Extended>, Fault> {
        let turn = self.turn().await;
        let desk = Arc::clone(self);
        self.carried(async move {
            let _turn = turn;
            let (extended, moves) = desk.heard(desk.engine.extend(extend).await)?;
            desk.moved(&moves);
            let late = extended.iter().filter(|it| matches!(it, Extended::Late(_))).count();
            desk.metrics.jobs.fenced.add(late as u64);
            let lengths = extended.iter().filter_map(|extended| match extended {
                Extended::Until(given) => Some(given.length),
                Extended::Late(_) | Extended::UnknownJob => None,
            });
            if let Some(first) = lengths.min() {
                desk.due_in(first);
            }
            Ok(extended)
        })
        .await
    }
}

impl Desk {
    /// Does what somebody decides about a queue or jobs, to all that are meant: the answer has their
    /// number.
    pub(crate) async fn govern(self: &Arc<Self>, by: By, deed: Deed) -> Result<Governed, Fault> {
        let desk = Arc::clone(self);
        self.carried(async move {
            let (mut rest, mut done) = (None, 0);
            loop {
                // However many want much done, what else is written waits for one step of it.
                let step = if is_for_many(&deed) { Some(desk.steps.lock().await) } else { None };
                let turn = desk.turn().await;
                let govern = Govern { by: by.clone(), deed: deed.clone(), rest };
                let (governed, moves) = desk.heard(desk.engine.govern(govern).await)?;
                drop((turn, step));
                desk.moved(&moves);
                let Governed::Done { jobs, rest: more } = governed else {
                    return Ok(governed);
                };
                done += jobs;
                if more.is_none() {
                    return Ok(Governed::Done { jobs: done, rest: None });
                }
                rest = more;
            }
        })
        .await
    }
}

impl Desk {
    /// Has a call carried out [whether or not](Desk::apart) this caller stays.
    fn carried<T, C>(&self, call: C) -> impl Future<Output = Result<T, Fault>> + use<T, C>
    where
        T: Send + 'static,
        C: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let lost = |_| Err(Fault::Unknown("the call was lost".to_owned()));
        self.apart(call).map(move |it| it.unwrap_or_else(lost))
    }
}

fn is_for_many(deed: &Deed) -> bool {
    match deed {
        Deed::Cancel(jobs) | Deed::Discard(jobs) | Deed::Requeue { jobs, .. } => {
            !matches!(jobs, Chosen::One(_))
        }
        Deed::Purge(..) => true,
        Deed::Pause(_) | Deed::Resume(_) | Deed::Set(..) => false,
    }
}

/// Jobs on their way to a caller. Where that one is gone they are dropped on the way, and given back.
struct Owed {
    desk: Arc<Desk>,
    jobs: Vec<LeasedJob>,
    /// Goes last, when what gives them back has begun: they are on their way after the call that got them, too.
    _under_way: watch::Receiver<()>,
}

impl Owed {
    fn nothing(desk: &Arc<Desk>) -> Self {
        Self { desk: Arc::clone(desk), jobs: Vec::new(), _under_way: desk.under_way() }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        let jobs = std::mem::take(&mut self.jobs);
        if !jobs.is_empty() {
            self.desk.give_back(jobs.iter().map(|job| (job.id, job.token)).collect());
        }
    }
}
