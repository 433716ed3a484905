//! HTTP/2 as somebody speaks it who gives no room: frames, made by hand.

use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
/// Of a request without a body: END_STREAM and END_HEADERS.
const WHOLE: u8 = 0x5;

struct Peer(BufReader<TcpStream>);

impl Peer {
    /// Each stream may send one byte, until it is told otherwise.
    async fn connect(server: &Server) -> Self {
        let mut peer = Self(server.connect().await.0);
        peer.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        peer.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]).await;
        peer
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    async fn ask(&mut self, stream: u32, path: &str) {
        // HPACK without its tables: GET, http, and two texts.
        let mut head = vec![0x82, 0x86, 0x01, 4];
        head.extend(b"here");
        head.extend([0x04, path.len() as u8]);
        head.extend(path.as_bytes());
        self.send(HEADERS, WHOLE, stream, &head).await;
    }

    async fn give_room(&mut self, stream: u32, bytes: u32) {
        for stream in [0, stream] {
            self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes()).await;
        }
    }

    /// The next frame: its kind, its stream, what it carries.
    async fn next(&mut self) -> (u8, u32, Vec<u8>) {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.unwrap();
        let bytes = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; bytes as usize];
        self.0.read_exact(&mut payload).await.unwrap();
        assert_ne!(head[3], GO_AWAY, "the connection goes on");
        (head[3], stream, payload)
    }
}

/// Long pieces, the last piece, and bodies that are no files.
#[tokio::test]
async fn a_stream_that_is_not_taken_ends_and_lets_go_and_its_connection_goes_on() {
    let patience = Patience {
        stalled: Duration::from_secs(1),
        ..PATIENCE
    };
    let server = Server::with(None, 10, patience).await;
    let mut peer = Peer::connect(&server).await;
    peer.ask(1, &path(0, FILE_BYTES)).await;
    peer.ask(3, &path(0, 10)).await;
    peer.ask(5, "/plain?bytes=50000").await;
    let (mut reset, mut taken) = (Vec::new(), HashMap::new());
    let all_end = async {
        while reset.len() < 3 {
            match peer.next().await {
                (RESET, stream, _) => reset.push(stream),
                (DATA, stream, bytes) => *taken.entry(stream).or_insert(0) += bytes.len(),
                _ => {}
            }
        }
    };
    tokio::time::timeout(SOON, all_end).await.expect("they end");
    reset.sort_unstable();
    assert_eq!(reset, [1, 3, 5]);
    assert_eq!(taken, HashMap::from([(1, 1), (3, 1), (5, 1)]));
    server.file_let_go().await;

    // Who takes it slowly gets all of it.
    const BYTES: usize = 400_000;
    const STEP: usize = 20_000;
    peer.ask(7, &path(0, BYTES as u64)).await;
    let (began, mut body) = (Instant::now(), Vec::new());
    for step in 1..=BYTES / STEP {
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.give_room(7, STEP as u32).await;
        while body.len() < step * STEP {
            match peer.next().await {
                (RESET, stream, _) => panic!("{stream} ended after {} bytes", body.len()),
                (DATA, 7, bytes) => body.extend(bytes),
                _ => {}
            }
        }
    }
    assert!(
        began.elapsed() > patience.stalled,
        "it took longer than one may take nothing"
    );
    assert!(body == contents()[..BYTES]);
    server.file_let_go().await;
}
