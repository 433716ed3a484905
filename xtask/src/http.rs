//! Owns the few HTTP requests that xtask makes to a Kinora on this machine: JSON over a plain connection, no library.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A Kinora that listens, and who we are there.
pub struct Client {
    /// `127.0.0.1:8080`
    address: String,
    token: Option<String>,
}

/// What a request was answered.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Client {
    /// From the line `listening on http://127.0.0.1:8080` or its last word.
    pub fn new(url: &str) -> Self {
        let address = url.rsplit("http://").next().unwrap_or(url).trim().trim_end_matches('/');
        Self {
            address: address.to_owned(),
            token: None,
        }
    }

    /// Logs in; later requests are this account's. Gives back the access token.
    pub fn log_in(&mut self, email: &str, password: &str) -> Result<String> {
        let body = serde_json::json!({ "email": email, "password": password });
        let answer = self.json("POST", "/api/v1/auth/login", Some(&body))?;
        let token = answer["access_token"]
            .as_str()
            .context("logging in gave no access token")?
            .to_owned();
        self.token = Some(token.clone());
        Ok(token)
    }

    /// A request whose answer must be a success with a JSON body.
    pub fn json(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.request(method, path, body)?;
        if !(200..300).contains(&answer.status) {
            bail!(
                "{method} {path} answered {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("read the answer of {method} {path}"))
    }

    /// Any request, any answer.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        head.push_str("Content-Type: application/json\r\nAccept-Encoding: identity\r\n");
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        let bytes = self
            .exchange(&format!("{head}\r\n{body}"))
            .with_context(|| format!("{method} {path} at {}", self.address))?;
        parse(&bytes).with_context(|| format!("read the answer of {method} {path}"))
    }

    fn exchange(&self, request: &str) -> Result<Vec<u8>> {
        let address = self.address.to_socket_addrs()?.next().context("no such address")?;
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("the answer has no end of its head")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .context("the answer has no status")?;
    let rest = &bytes[end + 4..];
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(rest)? } else { rest.to_vec() };
    Ok(Answer { status, body })
}

fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .context("a chunk has no length")?;
        let length = String::from_utf8_lossy(&rest[..line]);
        let length = usize::from_str_radix(length.split(';').next().unwrap_or_default().trim(), 16)
            .context("a chunk's length is no number")?;
        let data = rest.get(line + 2..line + 2 + length).context("a chunk is cut short")?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(data);
        rest = rest.get(line + 4 + length..).context("a chunk has no end")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_a_length_and_in_chunks_are_read() {
        let whole = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!((whole.status, whole.body.as_slice()), (200, b"{}".as_slice()));
        let chunks =
            parse(b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
                .unwrap();
        assert_eq!((chunks.status, chunks.body.as_slice()), (404, b"abcde".as_slice()));
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").is_err());
    }

    #[test]
    fn an_address_is_found_in_the_line_that_the_server_prints() {
        assert_eq!(
            Client::new("listening on http://127.0.0.1:8080").address,
            "127.0.0.1:8080"
        );
        assert_eq!(Client::new("http://localhost:1/").address, "localhost:1");
    }
}
