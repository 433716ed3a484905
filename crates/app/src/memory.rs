//! Owns how memory is allocated in this process, by Rust and by C alike.
//!
//! Holds the one `unsafe` call of this crate: the allocator's options have no other door, and its environment is read before `main`.
#![allow(unsafe_code)]

use std::ffi::c_long;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, in milliseconds; the bindings name only some options.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
const PURGE_DELAY_MS: c_long = 10;

/// Memory that was let go is the system's again after ten milliseconds instead of a second: a server whose models are exchanged one after
/// the other holds 40 to 60 MB less. What a page needs goes round within the allocator: page faults went with exchanges, not with pages.
pub fn give_back_soon() {
    // SAFETY: writes one number, before there is a second thread; an option that is not there is not written.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new release of the allocator may count its options anew.
    #[test]
    fn the_number_is_that_of_the_delay() {
        // SAFETY: reads one number, in a process that runs this test alone.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(delay(), 1_000, "the allocator's own");
        give_back_soon();
        assert_eq!(delay(), PURGE_DELAY_MS);
    }
}
