//! Owns a line of some length between a client and a server: a TCP proxy that delivers every byte so much later, each way, and loses
//! none. A browser's own throttling leaves WebSockets out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep_until};

const PIECE_BYTES: usize = 64 << 10;
/// Pieces under way, each direction.
const PIECES_MAX: usize = 1024;

/// Open until it is dropped.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    listening: JoinHandle<()>,
    server: Arc<Mutex<String>>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Line {
    /// To a server, as its URL names it; `delay` is one way.
    ///
    /// # Panics
    /// When this machine gives no port.
    pub async fn to(server: &str, delay: Duration) -> Self {
        let server = Arc::new(Mutex::new(authority(server)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let connections: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let (open, leads_to) = (connections.clone(), server.clone());
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = leads_to.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let task = tokio::spawn(carry(client, server, delay));
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                open.retain(|connection| !connection.is_finished());
                open.push(task.abort_handle());
            }
        });
        Self {
            address,
            listening,
            server,
            connections,
        }
    }

    /// From now on to another server: the one that was there before has come back on another port. What is open breaks.
    pub fn lead_to(&self, server: &str) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = authority(server);
        self.cut();
    }

    /// Under a name of this machine: a browser keeps the cookies of each apart.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}", self.address.port())
    }

    /// Everything that is open breaks; what comes next gets through.
    pub fn cut(&self) {
        for connection in self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            connection.abort();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

fn authority(url: &str) -> String {
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

async fn carry(client: TcpStream, server: String, delay: Duration) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // One way may end before the other.
    tokio::join!(
        one_way(from_client, to_server, delay),
        one_way(from_server, to_client, delay)
    );
}

async fn one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration) {
    let (sent, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES_MAX);
    let take = async move {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            match from.read(&mut piece).await {
                Ok(bytes) if bytes > 0 => piece.truncate(bytes),
                _ => return,
            }
            if sent.send((Instant::now() + delay, piece)).await.is_err() {
                return;
            }
        }
    };
    let give = async move {
        while let Some((at, piece)) = under_way.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        to.shutdown().await.ok();
    };
    tokio::join!(take, give);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_byte_comes_later_and_in_order() {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", echo.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = echo.accept().await.unwrap();
            let (mut from, mut to) = stream.split();
            tokio::io::copy(&mut from, &mut to).await.unwrap();
        });
        let delay = Duration::from_millis(60);
        let line = Line::to(&server, delay).await;
        let mut client = TcpStream::connect(line.address).await.unwrap();
        let began = Instant::now();
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        client.write_all(&bytes).await.unwrap();
        let mut back = vec![0; bytes.len()];
        client.read_exact(&mut back).await.unwrap();
        assert!(back == bytes);
        assert!(began.elapsed() >= 2 * delay, "{:?}", began.elapsed());
        line.cut();
        assert_eq!(client.read(&mut back).await.unwrap_or(0), 0, "what was open is broken");
    }
}
