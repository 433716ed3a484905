//! Transports under [`contract::wire`]. [`Loopback`] carries every call through its bytes inside the process: each door's
//! suite runs on the door itself and on `Remote` over this, so that what a door says always survives the wire.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use contract::{
    Fault,
    wire::{Dispatch, Remote, Transport},
};

/// Serialise, dispatch, deserialise, all here.
#[derive(Clone, Default)]
pub struct Loopback(HashMap<&'static str, Arc<dyn Dispatch>>);

impl Loopback {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service: `Loopback::new().with(Served::<dyn Catalog>(door))`.
    pub fn with(mut self, service: impl Dispatch) -> Self {
        self.0.insert(service.service(), Arc::new(service));
        self
    }

    /// The far side: implements every door, and answers for those that were added.
    pub fn remote(self) -> Remote {
        Remote::new(Arc::new(self))
    }
}

#[async_trait]
impl Transport for Loopback {
    async fn call(&self, service: &'static str, method: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        match self.0.get(service) {
            Some(dispatch) => dispatch.dispatch(method, &body).await,
            None => Err(Fault::Unavailable(format!("no service {service} here"))),
        }
    }
}

#[cfg(test)]
mod tests;
