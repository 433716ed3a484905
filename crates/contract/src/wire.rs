//! The remote side of every door, made from one line per method.
//!
//! `POST /rpc/{service}/{method}`: a JSON request, a JSON `Result` of the answer or the door's own error. A [`Transport`]
//! carries the bytes (in process: `platform::wire::Loopback`); [`wire!`] makes `impl Door for Remote` on one end and
//! [`Dispatch`] on the other.

use std::sync::Arc;

use async_trait::async_trait;

use crate::Fault;

/// Carries one request to a service and its answer back.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Both ways JSON. An error is the transport's own: the door's errors travel inside the answer.
    async fn call(&self, service: &'static str, method: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Fault>;
}

/// A service that can answer a [`Transport`].
#[async_trait]
pub trait Dispatch: Send + Sync + 'static {
    /// The service's name in the path.
    fn service(&self) -> &'static str;
    /// Decodes, calls the door, encodes. An unknown method or a malformed body is a `Fault`.
    async fn dispatch(&self, method: &str, body: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// A door that is somewhere else.
#[derive(Clone)]
pub struct Remote(Arc<dyn Transport>);

impl Remote {
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// One call: encode, carry, decode.
    pub async fn call<Q, A, E>(&self, service: &'static str, method: &'static str, request: &Q) -> Result<A, E>
    where
        Q: serde::Serialize + Sync,
        A: serde::de::DeserializeOwned,
        E: serde::de::DeserializeOwned + From<Fault>,
    {
        let body = serde_json::to_vec(request).map_err(|error| Fault::Internal(error.to_string()))?;
        let answer = self.0.call(service, method, body).await?;
        let decoded: Result<A, E> =
            serde_json::from_slice(&answer).map_err(|error| Fault::Internal(error.to_string()))?;
        decoded
    }
}

/// A local door made callable from outside.
pub struct Served<D: ?Sized>(pub Arc<D>);

/// Reads a request body.
pub fn decode<Q: serde::de::DeserializeOwned>(body: &[u8]) -> Result<Q, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Internal(format!("malformed request: {error}")))
}

/// Writes an answer, the door's own error included.
pub fn encode<A: serde::Serialize, E: serde::Serialize>(answer: &Result<A, E>) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(answer).map_err(|error| Fault::Internal(error.to_string()))
}

/// Declares a door: the trait itself stays hand-written above; this makes `impl $door for Remote` and its [`Dispatch`].
#[macro_export]
macro_rules! wire {
    ($door:ident as $service:literal, $error:ident: $($method:ident($request:ty) -> $answer:ty),+ $(,)?) => {
        #[async_trait::async_trait]
        impl $door for $crate::wire::Remote {
            $(async fn $method(&self, request: $request) -> Result<$answer, $error> {
                self.call($service, stringify!($method), &request).await
            })+
        }

        #[async_trait::async_trait]
        impl $crate::wire::Dispatch for $crate::wire::Served<dyn $door> {
            fn service(&self) -> &'static str {
                $service
            }

            async fn dispatch(&self, method: &str, body: &[u8]) -> Result<Vec<u8>, $crate::Fault> {
                match method {
                    $(stringify!($method) => $crate::wire::encode(&self.0.$method($crate::wire::decode(body)?).await),)+
                    other => Err($crate::Fault::Internal(format!("{} has no method {other}", $service))),
                }
            }
        }
    };
}
