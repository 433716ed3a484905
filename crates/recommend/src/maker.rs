//! Owns making what is large and long kept: models that are read, shelves.

use std::{sync::Arc, thread};

use contract::Fault;
use tokio::sync::{Semaphore, oneshot};

/// Makes one thing at a time, so that no number of requests needs more memory than one.
///
/// Each on a thread that ends with it. What lives in memory of a thread that goes on goes back to the system only when that thread asks for
/// memory again, whoever drops it; a thread of the pool may then stand idle, with a model that nobody uses any more. That holds for the
/// files that a model is read from as well: they are read here.
pub struct Maker(Arc<Semaphore>);

impl Default for Maker {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Maker {
    /// What `work` makes; a fault where it panics. Who does not wait any more does not stop it.
    pub async fn make<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let internal = |error: &dyn std::error::Error| Fault::Internal(error.to_string());
        let turn = self.0.clone().acquire_owned().await.map_err(|error| internal(&error))?;
        let (done, made) = oneshot::channel();
        let work = move || {
            // Nobody may be waiting any more.
            let _ = done.send(work());
            drop(turn);
        };
        let thread = thread::Builder::new().name("maker".into()).spawn(work);
        thread.map_err(|error| internal(&error))?;
        made.await
            .map_err(|_| Fault::Internal("a model or its shelf could not be made: its thread panicked".into()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        task::{Context, Poll, Waker},
    };

    use super::*;

    #[tokio::test]
    async fn one_is_made_at_a_time_also_when_the_first_is_not_waited_for() {
        let maker = Maker::default();
        let (go_on, wait) = mpsc::channel::<()>();
        let mut first = Box::pin(maker.make(move || wait.recv()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        drop(first);
        let mut second = Box::pin(maker.make(|| thread::current().name().map(str::to_owned)));
        assert!(matches!(second.as_mut().poll(&mut context), Poll::Pending));
        assert_eq!(maker.0.available_permits(), 0);
        go_on.send(()).unwrap();
        assert_eq!(second.await, Ok(Some("maker".to_owned())));
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_and_the_next_is_made() {
        let maker = Maker::default();
        let failed = maker.make(|| -> u8 { panic!("a model like no other") }).await;
        assert!(matches!(failed, Err(Fault::Internal(_))), "{failed:?}");
        assert_eq!(maker.make(|| 7).await, Ok(7));
    }
}
