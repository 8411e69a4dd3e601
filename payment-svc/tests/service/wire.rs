//! On the wire: limits of hyper, caching, and a real process that starts and leaves.

use std::net::SocketAddr;
use std::time::Duration;

use payment_svc::cache::CacheConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::{Process, token_file};
use super::servers::{self, Nats, free_port};
use super::shop::{BALANCE, PAYERS, Shop, eventually, payment, seed};

/// Sends bytes and reads what comes back until the connection or the time ends; nothing comes from
/// a server that is just leaving.
async fn raw(port: u16, bytes: &[u8]) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else {
        return String::new();
    };
    // The server may close before all is sent.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 4_096];
    while let Ok(Ok(count)) =
        tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await
    {
        answer.extend_from_slice(&buffer[..count]);
        if count == 0 {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether the server closes a connection on which nothing comes after these bytes.
async fn closes_on(port: u16, bytes: &[u8]) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(25), end)
        .await
        .is_ok()
}

async fn status(port: u16, path: &str) -> Option<u16> {
    let text = raw(
        port,
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
    )
    .await;
    text.split_whitespace().nth(1)?.parse().ok()
}

struct Pod {
    process: Process,
    http: u16,
    control: u16,
    _dir: tempfile::TempDir,
}

async fn start_pod(urls: &[String], nats: &Nats) -> Pod {
    let dir = tempfile::tempdir().unwrap();
    let (token, redis) = (token_file(dir.path()), servers::redis());
    let mut process = Process::start(
        "serve",
        &[
            ("PAYMENT_SHARD_0_URL", &urls[0]),
            ("PAYMENT_SHARD_1_URL", &urls[1]),
            ("PAYMENT_CACHE_URL", &redis),
            ("PAYMENT_EVENTS_URL", &nats.url),
            ("PAYMENT_CONTROL_TOKEN_FILE", &token),
            ("PAYMENT_HTTP_ADDR", "127.0.0.1:0"),
            ("PAYMENT_CONTROL_ADDR", "127.0.0.1:0"),
            ("PAYMENT_WARM_DEADLINE_MS", "1000"),
        ],
    );
    let serving: serde_json::Value = serde_json::from_str(&process.logs("serving")).unwrap();
    let port = |of: &str| {
        let address: SocketAddr = serving["fields"][of].as_str().unwrap().parse().unwrap();
        address.port()
    };
    let (http, control) = (port("http"), port("control"));
    eventually("the pod is ready", async || {
        status(control, "/readyz").await == Some(200)
    })
    .await;
    Pod {
        process,
        http,
        control,
        _dir: dir,
    }
}

fn post_text(payer: u32, key: &str) -> String {
    let body = payment(payer, 1).to_string();
    format!(
        "POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nX-Request-Timeout-Ms: 15000\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f83_p11_a_pod_migrates_serves_and_leaves_without_losing_a_request() {
    let postgres = servers::postgres().await;
    let urls = vec![postgres.database().await, postgres.database().await];
    seed(&urls).await;
    let nats = Nats::start();
    let pod = start_pod(&urls, &nats).await;
    let first = raw(pod.http, post_text(1, "first").as_bytes()).await;
    assert!(first.starts_with("HTTP/1.1 201"), "{first}");

    pod.process.terminate();
    eventually("unready at once", async || {
        status(pod.control, "/readyz").await == Some(503)
    })
    .await;
    let mut served = 0_u32;
    loop {
        let key = format!("leaving-{served}");
        let payer = 1 + served % PAYERS; // A fast machine serves more than one balance can pay.
        let Ok(connection) = TcpStream::connect(("127.0.0.1", pod.http)).await else {
            break;
        };
        drop(connection);
        let answer = raw(pod.http, post_text(payer, &key).as_bytes()).await;
        if answer.is_empty() {
            break; // The listener closed between the two connections.
        }
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        served += 1;
    }
    assert!(served > 0, "what is sent to a leaving pod is served");
    assert_eq!(pod.process.exit_code(), Some(0));
    let shop = Shop::over(urls, CacheConfig::default()).await;
    let mut paid = 0;
    for payer in 1..=PAYERS {
        paid += BALANCE - shop.balance(payer).await;
    }
    assert_eq!(paid, i64::from(served) + 1, "what was answered was booked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b48_b57_f81_what_is_no_request_is_refused_on_the_wire() {
    let postgres = servers::postgres().await;
    let urls = vec![postgres.database().await, postgres.database().await];
    seed(&urls).await;
    let nats = Nats::start();
    let pod = start_pod(&urls, &nats).await;
    let large_header = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let many_headers = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(100)
    );
    for (what, bytes, expected) in [
        ("a header too large", large_header, "431"),
        ("too many headers", many_headers, "431"),
        (
            "two lengths of one body",
            "POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd".to_owned(),
            "400",
        ),
        ("no HTTP", "nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = raw(pod.http, bytes.as_bytes()).await;
        assert_eq!(answer.split_whitespace().nth(1), Some(expected), "{what}: {answer}");
    }
    let half = "POST /v1/payments HTTP/1.1\r\nHost: x\r\nIdempotency-Key: slow\r\nContent-Type: application/json\r\n\
        X-Request-Timeout-Ms: 200\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{";
    let slow = raw(pod.http, half.as_bytes()).await;
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    assert!(
        closes_on(pod.http, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow").await,
        "headers that never end are not waited for"
    );
    pod.process.terminate();
    assert_eq!(pod.process.exit_code(), Some(0));
}

#[tokio::test]
async fn f73_without_redis_everything_is_answered() {
    let config = CacheConfig {
        url: Some(format!("redis://127.0.0.1:{}/", free_port())),
        ..CacheConfig::default()
    };
    let shop = Shop::open_with(config).await;
    let paid = shop.pay(1, 10, "k").await.id();
    assert_eq!(shop.refund(&paid, 5, "back").await.status, 201);
    let read = shop.get(&format!("/v1/payments/{paid}")).await;
    assert_eq!(read.body["refunded_minor"], 5);
    assert_eq!(shop.get("/v1/merchants/m-0001").await.status, 200);
}

#[tokio::test]
async fn a_refund_is_seen_at_once_where_it_was_made_and_soon_elsewhere() {
    let config = || CacheConfig {
        url: Some(servers::redis()),
        // On a busy machine too Redis is to hear of the refund.
        redis_timeout: Duration::from_secs(5),
        ..CacheConfig::default()
    };
    let shop = Shop::open_with(config()).await;
    let paid = shop.pay(1, 10, "k").await.id();
    let path = format!("/v1/payments/{paid}");
    assert_eq!(shop.get(&path).await.body["refunded_minor"], 0);
    assert_eq!(shop.refund(&paid, 5, "back").await.status, 201);
    assert_eq!(shop.get(&path).await.body["refunded_minor"], 5);
    let other = Shop::over(shop.urls.clone(), config()).await;
    eventually("seen elsewhere", async || {
        other.get(&path).await.body["refunded_minor"] == 5
    })
    .await;
}
