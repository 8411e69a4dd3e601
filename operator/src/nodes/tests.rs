//! When the room is read, and how long what was read is relied on.

use std::sync::Mutex as StdMutex;

use http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;
use crate::snapshot::ClusterKey;

/// Paths asked for, and whether the answers are good.
#[derive(Clone)]
struct FakeServer {
    asked: Arc<StdMutex<Vec<String>>>,
    status: Arc<StdMutex<StatusCode>>,
}

impl FakeServer {
    fn new() -> Self {
        Self {
            asked: Arc::default(),
            status: Arc::new(StdMutex::new(StatusCode::OK)),
        }
    }

    /// Two nodes, one a page; one pod on the first.
    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let uri = request.uri().to_string();
        let second = uri.contains("continue=more");
        let list = match request.uri().path() {
            "/api/v1/nodes" if second => json!({ "metadata": {}, "items": [node("b")] }),
            "/api/v1/nodes" => json!({ "metadata": { "continue": "more" }, "items": [node("a")] }),
            _ => json!({ "metadata": { "continue": "" }, "items": [{
                "metadata": { "name": "p", "namespace": "shop" },
                "spec": { "nodeName": "a", "containers": [{
                    "name": "c", "resources": { "requests": { "cpu": "1" } }
                }] }
            }] }),
        };
        self.asked.lock().unwrap().push(uri);
        let status = *self.status.lock().unwrap();
        let body = serde_json::to_vec(&list).unwrap();
        let answer = Response::builder().status(status);
        answer.body(Body::from(body)).unwrap()
    }

    fn client(&self) -> Client {
        let this = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let answer = this.answer(&request);
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        Client::new(service, "shop")
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn node(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "status": {
            "allocatable": { "cpu": "4", "memory": "4Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }]
        }
    })
}

fn now() -> Timestamp {
    "2026-11-10T15:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn held(seen: &RoomSeen) -> Option<u32> {
    let till = ClusterKey {
        namespace: "shop".to_owned(),
        name: "till".to_owned(),
    };
    let room = seen.known(now())?;
    Some(room.replicas_max(&till, 100, 1.0, 1.0))
}

#[test]
fn s2_room_that_was_not_read_lately_is_not_known() {
    let seen = RoomSeen::Read(Arc::new(RoomReading {
        at: now(),
        held_s: 180.0,
        room: NodeRoom::default(),
    }));
    assert!(seen.known(after(180)).is_some());
    assert!(seen.known(after(181)).is_none());
    assert!(RoomSeen::Unread.known(now()).is_none());
    assert!(RoomSeen::Unreadable.known(now()).is_none());
}

#[test]
fn s11_a_reading_that_takes_long_is_made_more_rarely() {
    assert_eq!(pause_after(Duration::from_secs(1)), PAUSE);
    assert_eq!(pause_after(Duration::from_secs(30)).as_secs(), 300);
}

#[tokio::test]
async fn all_pages_are_read_and_one_reading_serves_whoever_asks() {
    let (server, rooms) = (FakeServer::new(), Rooms::default());
    let client = server.client();
    let read = rooms.read(&client, now(), 60.0).await.unwrap();
    assert_eq!(server.count(), 3, "{:?}", server.asked.lock().unwrap());
    assert_eq!(held(&RoomSeen::Read(read)), Some(7));
    assert!(rooms.read(&client, after(59), 60.0).await.is_some());
    assert_eq!(server.count(), 3, "a young reading stands");
    assert!(rooms.read(&client, after(60), 60.0).await.is_some());
    assert_eq!(server.count(), 6);
}

#[tokio::test]
async fn s2_what_cannot_be_read_is_not_known_once_the_last_reading_is_old() {
    let (server, rooms) = (FakeServer::new(), Rooms::default());
    let client = server.client();
    rooms.read(&client, now(), 60.0).await;
    *server.status.lock().unwrap() = StatusCode::FORBIDDEN;
    assert!(rooms.read(&client, after(60), 60.0).await.is_none());
    let seen = rooms.ask();
    assert!(seen.known(after(60)).is_some(), "the last one still holds");
    assert!(rooms.read(&client, after(200), 60.0).await.is_none());
    assert!(matches!(*rooms.ask(), RoomSeen::Unreadable));
    let asked = server.count();
    assert!(rooms.read(&client, after(201), 60.0).await.is_none());
    assert_eq!(server.count(), asked, "a failure is not repeated at once");
}

#[tokio::test(start_paused = true)]
async fn s11_nothing_is_read_while_nobody_asks() {
    let (server, rooms) = (FakeServer::new(), Arc::new(Rooms::default()));
    let stop = CancellationToken::new();
    let running = Arc::clone(&rooms).run(server.client(), Clock::system(), stop.clone());
    let running = tokio::spawn(running);
    sleep(PAUSE * 10).await;
    assert_eq!(server.count(), 0);
    assert!(matches!(*rooms.ask(), RoomSeen::Unread));
    sleep(PAUSE / 2).await;
    assert_eq!(server.count(), 3, "asked for, read");
    for _ in 0..1_000 {
        rooms.ask();
    }
    sleep(PAUSE / 4).await;
    assert_eq!(server.count(), 3, "however many ask");
    stop.cancel();
    running.await.unwrap();
}
