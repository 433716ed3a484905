//! Connections as clients make them: real sockets, of any size, and answers read byte by byte.

mod http2;

use std::{
    collections::HashMap,
    fs::File,
    io::Write as _,
    sync::{Mutex, Weak},
    time::Instant,
};

use axum::{Router, extract::Query, response::IntoResponse as _, routing::get};
use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpSocket,
    task::JoinHandle,
};

use super::*;
use crate::file_slice::FileSlice;

/// Two stretches and a piece of one.
const FILE_BYTES: u64 = 2_500_000;
const SOON: Duration = Duration::from_secs(20);

/// Every place of the file says which it is.
fn contents() -> Vec<u8> {
    (0..FILE_BYTES)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// A listener before a router that answers with parts of a file.
struct Server {
    lent: Lent,
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Server {
    async fn open() -> Self {
        Self::with(None, 100, PATIENCE).await
    }

    async fn with(send_buffer: Option<u32>, connections_max: u32, patience: Patience) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&contents()).unwrap();
        let lent = Lent::default();
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = send_buffer {
            socket.set_send_buffer_size(bytes).unwrap();
        }
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let serving = serve_patiently(listener, router(file, &lent), connections_max, stop.clone(), patience);
        Self {
            ended: tokio::spawn(serving),
            lent,
            address,
            stop,
        }
    }

    async fn connect(&self) -> Client {
        self.connect_with(None).await
    }

    async fn connect_with(&self, receive_buffer: Option<u32>) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        Client(BufReader::new(socket.connect(self.address).await.unwrap()))
    }

    /// Until no answer holds the file any more.
    async fn file_let_go(&self) {
        let began = Instant::now();
        while self.lent.0.lock().unwrap().iter().any(|file| file.strong_count() > 0) {
            assert!(began.elapsed() < SOON, "the file is still held");
            tokio::task::yield_now().await;
        }
    }
}

/// The file as it was opened for each answer.
#[derive(Clone, Default)]
struct Lent(Arc<Mutex<Vec<Weak<File>>>>);

fn router(file: File, lent: &Lent) -> Router {
    let (file, lent) = (Arc::new(file), lent.clone());
    let part = move |Query(query): Query<HashMap<String, u64>>| {
        let opened = Arc::new(file.try_clone().unwrap());
        lent.0.lock().unwrap().push(Arc::downgrade(&opened));
        let slice = FileSlice {
            file: opened,
            offset: query["from"],
            bytes: query["bytes"],
        };
        std::future::ready(slice.into_response())
    };
    let plain = |Query(query): Query<HashMap<String, u64>>| std::future::ready(vec![7_u8; query["bytes"] as usize]);
    let other = {
        let part = part.clone();
        move |query: Query<HashMap<String, u64>>| {
            let mut response = futures::FutureExt::now_or_never(part(query)).unwrap();
            let encoding = HeaderValue::from_static("x-shorter");
            response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
            *response.body_mut() = Body::from("made of it");
            response.headers_mut().remove(header::CONTENT_LENGTH);
            std::future::ready(response.into_response())
        }
    };
    Router::new()
        .route("/part", get(part))
        .route("/plain", get(plain))
        .route("/other", get(other))
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn ask(&mut self, method: &str, path: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: here\r\n\r\n");
        self.0.write_all(head.as_bytes()).await.unwrap();
    }

    /// The head of the next answer, in lower case.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("a whole head"));
        }
        String::from_utf8(head).unwrap().to_lowercase()
    }

    async fn body(&mut self, bytes: u64) -> Vec<u8> {
        let mut body = vec![0; bytes as usize];
        self.0.read_exact(&mut body).await.unwrap();
        body
    }

    /// All that still comes.
    async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A connection that is cut may be reset.
        self.0.read_to_end(&mut rest).await.ok();
        rest
    }
}

fn length(head: &str) -> u64 {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.unwrap().parse().unwrap()
}

fn path(from: u64, bytes: u64) -> String {
    format!("/part?from={from}&bytes={bytes}")
}

/// What a client may ask in a row: parts of the file, or bytes that are none.
#[derive(Debug, Clone)]
enum Ask {
    Part { from: u64, bytes: u64 },
    Head { from: u64, bytes: u64 },
    Plain { bytes: u64 },
}

fn ask() -> impl Strategy<Value = Ask> {
    let range = (0..FILE_BYTES, 0_u32..22).prop_map(|(from, order)| {
        let bytes = (1 << order).min(FILE_BYTES - from);
        (from, bytes)
    });
    prop_oneof![
        6 => range.clone().prop_map(|(from, bytes)| Ask::Part { from, bytes }),
        1 => range.prop_map(|(from, bytes)| Ask::Head { from, bytes }),
        1 => Just(Ask::Part { from: 0, bytes: FILE_BYTES }),
        1 => (0_u64..100_000).prop_map(|bytes| Ask::Plain { bytes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is asked, at once or one after the other, through sockets of whatever size.
    #[test]
    fn what_arrives_is_the_file(
        asks in prop::collection::vec(ask(), 1..24),
        send_buffer in 2_000_u32..400_000,
        receive_buffer in 2_000_u32..400_000,
        at_once in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::with(Some(send_buffer), 10, PATIENCE).await;
            let (mut client, whole) = (server.connect_with(Some(receive_buffer)).await, contents());
            let requests = |asks: &[Ask]| asks.iter().map(request).collect::<String>();
            if at_once {
                client.0.write_all(requests(&asks).as_bytes()).await.unwrap();
            }
            for ask in &asks {
                if !at_once {
                    client.0.write_all(request(ask).as_bytes()).await.unwrap();
                }
                let head = client.head().await;
                match *ask {
                    Ask::Part { from, bytes } => {
                        assert_eq!(length(&head), bytes);
                        let wanted = &whole[from as usize..(from + bytes) as usize];
                        assert!(client.body(bytes).await == wanted, "{ask:?} of {asks:?}");
                    }
                    Ask::Head { bytes, .. } => assert_eq!(length(&head), bytes),
                    Ask::Plain { bytes } => assert!(client.body(bytes).await == vec![7; bytes as usize], "{ask:?}"),
                }
            }
            server.file_let_go().await;
        });
    }
}

fn request(ask: &Ask) -> String {
    let (method, path) = match *ask {
        Ask::Part { from, bytes } => ("GET", path(from, bytes)),
        Ask::Head { from, bytes } => ("HEAD", path(from, bytes)),
        Ask::Plain { bytes } => ("GET", format!("/plain?bytes={bytes}")),
    };
    format!("{method} {path} HTTP/1.1\r\nhost: here\r\n\r\n")
}

#[tokio::test]
async fn a_file_that_is_shorter_than_promised_ends_the_connection() {
    let server = Server::open().await;
    let mut client = server.connect().await;
    client.ask("GET", &path(FILE_BYTES - 1000, 5000)).await;
    assert_eq!(length(&client.head().await), 5000);
    let whole = contents();
    assert_eq!(client.rest().await, whole[whole.len() - 1000..]);
    server.file_let_go().await;
}

#[tokio::test]
async fn what_was_made_of_a_file_is_sent_as_it_is() {
    let server = Server::open().await;
    let mut client = server.connect().await;
    client.ask("GET", "/other?from=0&bytes=10").await;
    let head = client.head().await;
    assert!(head.contains("content-encoding: x-shorter"), "{head}");
    assert_eq!(client.body(length(&head)).await, b"made of it");
}

#[tokio::test]
async fn who_goes_in_the_middle_lets_the_file_go() {
    let server = Server::with(Some(8_000), 100, PATIENCE).await;
    for _ in 0..20 {
        let mut client = server.connect_with(Some(8_000)).await;
        client.ask("GET", &path(0, FILE_BYTES)).await;
        client.head().await;
    }
    server.file_let_go().await;
}

#[tokio::test]
async fn who_takes_nothing_is_cut_off_and_who_is_slow_is_not() {
    let patience = Patience {
        stalled: Duration::from_millis(400),
        ..PATIENCE
    };
    let server = Server::with(Some(8_000), 100, patience).await;
    let (mut idle, mut slow) = (
        server.connect_with(Some(8_000)).await,
        server.connect_with(Some(8_000)).await,
    );
    idle.ask("GET", &path(0, FILE_BYTES)).await;
    idle.head().await;
    slow.ask("GET", &path(0, 200_000)).await;
    slow.head().await;
    let (began, whole) = (Instant::now(), contents());
    for piece in whole[..200_000].chunks(10_000) {
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(slow.body(10_000).await == piece);
    }
    assert!(
        began.elapsed() > patience.stalled,
        "it took longer than one may take nothing"
    );
    server.file_let_go().await;
    assert!((idle.rest().await.len() as u64) < FILE_BYTES);
}

#[tokio::test]
async fn who_says_nothing_or_not_all_is_not_waited_for() {
    let patience = Patience {
        head: Duration::from_millis(200),
        ..PATIENCE
    };
    let server = Server::with(None, 100, patience).await;
    let (mut silent, mut slow) = (server.connect().await, server.connect().await);
    slow.0
        .write_all(b"GET /plain?bytes=1 HTTP/1.1\r\nhost: h")
        .await
        .unwrap();
    let (silent, slow) = tokio::time::timeout(SOON, async { (silent.rest().await, slow.rest().await) })
        .await
        .expect("both end");
    assert!(silent.is_empty() && !slow.starts_with(b"HTTP/1.1 200"));
    let mut many = server.connect().await;
    let headers: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let head = format!("GET /plain?bytes=1 HTTP/1.1\r\nhost: here\r\n{headers}\r\n");
    many.0.write_all(head.as_bytes()).await.unwrap();
    assert!(many.head().await.starts_with("http/1.1 431"));
}

#[tokio::test]
async fn beyond_the_limit_a_connection_waits_for_its_place() {
    let server = Server::with(None, 1, PATIENCE).await;
    let mut first = server.connect().await;
    first.ask("GET", "/plain?bytes=1").await;
    first.head().await;
    let mut second = server.connect().await;
    second.ask("GET", "/plain?bytes=1").await;
    let early = tokio::time::timeout(Duration::from_millis(300), second.head()).await;
    assert!(early.is_err(), "{early:?}");
    drop(first);
    let head = tokio::time::timeout(SOON, second.head())
        .await
        .expect("there is a place now");
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test]
async fn an_end_waits_for_what_is_being_sent_and_for_nothing_else() {
    let server = Server::with(Some(8_000), 100, PATIENCE).await;
    let (mut idle, mut new) = (server.connect().await, server.connect().await);
    idle.ask("GET", "/plain?bytes=1").await;
    idle.head().await;
    idle.body(1).await;
    let mut busy = server.connect_with(Some(8_000)).await;
    busy.ask("GET", &path(0, FILE_BYTES)).await;
    busy.head().await;
    server.stop.cancel();
    assert_eq!(idle.rest().await, b"");
    assert_eq!(new.rest().await, b"");
    assert!(!server.ended.is_finished(), "one is being answered");
    assert!(busy.body(FILE_BYTES).await == contents());
    tokio::time::timeout(SOON, server.ended)
        .await
        .expect("it ends")
        .unwrap();
}

#[tokio::test]
async fn whoever_asked_for_another_protocol_is_heard_no_further() {
    let server = Server::open().await;
    let mut client = server.connect().await;
    let asked = "GET /plain?bytes=3 HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    client.0.write_all(asked.as_bytes()).await.unwrap();
    client.ask("GET", "/plain?bytes=5").await;
    let head = client.head().await;
    assert!(
        head.starts_with("http/1.1 200") && head.contains("\r\nconnection: close\r\n"),
        "{head}"
    );
    assert_eq!(client.rest().await, [7; 3]);
}
