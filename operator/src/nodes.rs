//! The room on the nodes: read by one loop for all clusters whose nodes are fixed, and for the
//! pre-flight of sales that are near.
//!
//! A list of all pods is dear for the apiserver, so it is read page by page, only while somebody
//! asks, and less often the longer it takes. The pass of a cluster never awaits it: it asks, and
//! goes by what was read before. The pass of a sale that is near waits for a reading.
//! Invariant: what could not be read, or was read too long ago, is not known; it is never no room.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, Client, api::ListParams};
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, seconds_between};

mod room;

pub use room::NodeRoom;

/// Pause between two readings while some cluster asks: a node that came or went is known within it.
const PAUSE: Duration = Duration::from_secs(60);
/// A pause is at least so many times as long as the reading before it took, so that reading never
/// takes more than a tenth of the time.
const PAUSE_PER_READING: u32 = 10;
/// A reading holds for so many pauses; two in a row may fail before the room is not known.
const PAUSES_HELD: u32 = 3;
/// Objects of one page; some megabytes at most are in hand at once.
const PAGE: u32 = 500;
/// Longest reading (F42).
const READING_MAX: Duration = Duration::from_secs(60);
/// Pods that take room: those that have a node and have not ended.
const PLACED: &str = "spec.nodeName!=,status.phase!=Failed,status.phase!=Succeeded";

/// The room as it was read at some time.
#[derive(Clone, Debug)]
pub struct RoomReading {
    /// When the reading began.
    pub at: Timestamp,
    /// Seconds after which it is too old to bound anything.
    pub held_s: f64,
    /// What was found.
    pub room: NodeRoom,
}

/// What is known of the room.
#[derive(Clone, Debug, Default)]
pub enum RoomSeen {
    /// Nobody has read it yet.
    #[default]
    Unread,
    /// It cannot be read, for want of the right to list nodes and pods or of an answer.
    Unreadable,
    /// The newest reading.
    Read(Arc<RoomReading>),
}

impl RoomSeen {
    /// The room, while what was read still holds.
    pub fn known(&self, now: Timestamp) -> Option<&NodeRoom> {
        match self {
            Self::Unread | Self::Unreadable => None,
            Self::Read(reading) => {
                let holds = seconds_between(reading.at, now) <= reading.held_s;
                holds.then_some(&reading.room)
            }
        }
    }
}

/// The newest reading, shared by everybody who asks.
#[derive(Debug, Default)]
pub struct Rooms {
    newest: ArcSwap<RoomSeen>,
    /// When it was last read or tried; held while reading, for whoever else asks meanwhile wants
    /// the same answer.
    tried_at: Mutex<Option<Timestamp>>,
    asked: Notify,
}

impl Rooms {
    /// What is known now, and that somebody goes by it.
    pub fn ask(&self) -> Arc<RoomSeen> {
        self.asked.notify_one();
        self.newest.load_full()
    }

    /// Reads while somebody asks, until `stop`.
    pub async fn run(self: Arc<Self>, client: Client, clock: Clock, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.asked.notified() => {}
            }
            let started = Instant::now();
            tokio::select! {
                () = stop.cancelled() => return,
                _ = self.read(&client, clock.now(), PAUSE.as_secs_f64()) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause_after(started.elapsed())) => {}
            }
        }
    }

    /// The room as it was read within the last `age_s_max` seconds, read now where it was not;
    /// `None` when it cannot be.
    pub async fn read(
        &self,
        client: &Client,
        now: Timestamp,
        age_s_max: f64,
    ) -> Option<Arc<RoomReading>> {
        let young = |at: Timestamp| seconds_between(at, now) < age_s_max;
        let mut tried_at = self.tried_at.lock().await;
        if !tried_at.is_some_and(young) {
            *tried_at = Some(now);
            self.renew(client, now).await;
        }
        match &**self.newest.load() {
            RoomSeen::Read(reading) if young(reading.at) => Some(Arc::clone(reading)),
            RoomSeen::Read(_) | RoomSeen::Unread | RoomSeen::Unreadable => None,
        }
    }

    async fn renew(&self, client: &Client, now: Timestamp) {
        let started = Instant::now();
        match timeout(READING_MAX, room(client)).await {
            Ok(Ok(room)) => {
                let held = pause_after(started.elapsed()) * PAUSES_HELD;
                let held_s = held.as_secs_f64();
                let at = now;
                let reading = RoomReading { at, held_s, room };
                let seen = RoomSeen::Read(Arc::new(reading));
                self.newest.store(Arc::new(seen));
                return;
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the room on the nodes cannot be read");
            }
            Err(_) => tracing::warn!(
                "the room on the nodes cannot be read within {} s",
                READING_MAX.as_secs()
            ),
        }
        // What was read before counts for as long as it holds.
        if self.newest.load().known(now).is_none() {
            self.newest.store(Arc::new(RoomSeen::Unreadable));
        }
    }
}

fn pause_after(took: Duration) -> Duration {
    PAUSE.max(took * PAUSE_PER_READING)
}

/// Reads every node and every pod that has one.
async fn room(client: &Client) -> Result<NodeRoom, kube::Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    let pods: Api<Pod> = Api::all(client.clone());
    let mut room = NodeRoom::default();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let found = nodes.list(&page).await?;
        room.add_nodes(&found.items);
        match found.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => break,
        }
    }
    let mut page = ListParams::default().limit(PAGE).fields(PLACED);
    loop {
        let found = pods.list(&page).await?;
        room.add_pods(&found.items);
        match found.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(room),
        }
    }
}

#[cfg(test)]
mod tests;
