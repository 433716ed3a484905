//! What a database error means for a caller of a door.

use contract::Fault;
use sqlx::{Error, error::DatabaseError};

/// `query.await.or_fault()?` wherever the error type takes a [`Fault`].
pub trait OrFault<T> {
    fn or_fault(self) -> Result<T, Fault>;
}

impl<T> OrFault<T> for Result<T, Error> {
    fn or_fault(self) -> Result<T, Fault> {
        self.map_err(|error| fault(&error))
    }
}

/// Somebody else has this key already.
pub fn is_unique_violation(error: &Error) -> bool {
    error
        .as_database_error()
        .is_some_and(DatabaseError::is_unique_violation)
}

/// Sorts an error by what can be done about it.
pub fn fault(error: &Error) -> Fault {
    let text = error.to_string();
    match error {
        // Too many at once, or nobody at the other end: a pool cannot tell.
        Error::PoolTimedOut => Fault::Unavailable("waiting for a database connection took too long".into()),
        Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => Fault::StorageFull(text),
        Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed => Fault::Unavailable(text),
        Error::Database(cause) => match cause.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
            Some(sqlite) => sqlite_fault(sqlite.code().and_then(|code| code.parse().ok()).unwrap_or(0), text),
            None => postgres_fault(&cause.code().unwrap_or_default(), text),
        },
        _ => Fault::Internal(text),
    }
}

/// By primary result code: <https://www.sqlite.org/rescode.html>.
fn sqlite_fault(extended: u32, text: String) -> Fault {
    match extended & 0xff {
        13 => Fault::StorageFull(text),
        // busy, locked, out of memory, read only, input or output, cannot open
        5 | 6 | 7 | 8 | 10 | 14 => Fault::Unavailable(text),
        9 => Fault::DeadlineExceeded,
        _ => Fault::Internal(text),
    }
}

/// By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres_fault(state: &str, text: String) -> Fault {
    match state {
        "53100" => Fault::StorageFull(text),
        "53300" => Fault::Overloaded(text),
        "57014" => Fault::DeadlineExceeded,
        // serialisation failure, deadlock, lock not available, read-only (a standby, or a primary on its way down)
        "40001" | "40P01" | "55P03" | "25006" => Fault::Unavailable(text),
        // connection, out of resources, shut down or starting up, input or output
        _ if ["08", "53", "57P", "58"].iter().any(|class| state.starts_with(class)) => Fault::Unavailable(text),
        _ => Fault::Internal(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        let text = String::new;
        assert!(matches!(sqlite_fault(13, text()), Fault::StorageFull(_)));
        assert!(
            matches!(sqlite_fault(261, text()), Fault::Unavailable(_)),
            "SQLITE_BUSY_RECOVERY"
        );
        assert!(
            matches!(sqlite_fault(778, text()), Fault::Unavailable(_)),
            "SQLITE_IOERR_WRITE"
        );
        assert!(matches!(sqlite_fault(11, text()), Fault::Internal(_)), "SQLITE_CORRUPT");
        assert!(matches!(postgres_fault("53100", text()), Fault::StorageFull(_)));
        assert!(matches!(postgres_fault("57P01", text()), Fault::Unavailable(_)));
        assert!(matches!(postgres_fault("57014", text()), Fault::DeadlineExceeded));
        assert!(matches!(postgres_fault("40P01", text()), Fault::Unavailable(_)));
        assert!(matches!(postgres_fault("42601", text()), Fault::Internal(_)));
    }
}
