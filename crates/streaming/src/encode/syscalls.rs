//! System calls that no decoder needs, refused to it: sockets, tracing, mounting, modules, keys, io_uring and the like; and those by
//! which it would have more than its limits say: other processes, memory that is no address space, files that are not counted.
//!
//! A classic BPF program (seccomp(2)) in the kernel's own byte order, handed to bubblewrap as a file, which puts it in force just before
//! the program begins: all that begins before (prlimit, nice, bubblewrap) is not under it. Namespaces already keep most of these calls from
//! doing harm; this keeps the kernel's least-walked code out of reach of a decoder that was taken over.

use std::{fs::File, io, io::Write as _, os::fd::OwnedFd};

use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};

/// A call that is allowed depending on one bit of one argument.
struct Conditional {
    number: u32,
    argument: u32,
    bit: u32,
    /// What the bit must be.
    set: bool,
}

/// `clone` with CLONE_THREAD: threads share their process' limits, processes have limits of their own.
const fn threads_only(number: u32) -> Conditional {
    Conditional {
        number,
        argument: 0,
        bit: 0x0001_0000,
        set: true,
    }
}

/// `open` without O_TMPFILE: a file that has no name is counted by nobody.
const fn named_only(number: u32, argument: u32) -> Conditional {
    Conditional {
        number,
        argument,
        bit: 0x0040_0000,
        set: false,
    }
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use super::{Conditional, named_only, threads_only};

    /// AUDIT_ARCH_X86_64.
    pub const ARCHITECTURE: u32 = 0xc000_003e;
    pub const REFUSED: &[u32] = &[
        41, 53, // socket, socketpair
        101, 310, 311, 312, // ptrace, process_vm_readv, process_vm_writev, kcmp
        155, 161, 165, 166, 272, 308, // pivot_root, chroot, mount, umount2, unshare, setns
        428, 429, 430, 431, 432, 433,
        442, // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
        167, 168, 169, 163, 179, 103, 135, // swapon, swapoff, reboot, acct, quotactl, syslog, personality
        175, 176, 313, 246, 320, // init_module, delete_module, finit_module, kexec_load, kexec_file_load
        298, 321, 323, 425, 426, 427, // perf_event_open, bpf, userfaultfd, io_uring_*
        248, 249, 250, 303, 304, // add_key, request_key, keyctl, name_to_handle_at, open_by_handle_at
        57, 58, // fork, vfork
        29, 240, 319, 447, // shmget, mq_open, memfd_create, memfd_secret
        87, 263, 82, 264, 316, // unlink, unlinkat, rename, renameat, renameat2
        83, 258, 133, 259, // mkdir, mkdirat, mknod, mknodat
    ];
    pub const CONDITIONAL: &[Conditional] = &[threads_only(56), named_only(2, 1), named_only(257, 2)];
}

#[cfg(target_arch = "aarch64")]
mod machine {
    use super::{Conditional, named_only, threads_only};

    /// AUDIT_ARCH_AARCH64.
    pub const ARCHITECTURE: u32 = 0xc000_00b7;
    pub const REFUSED: &[u32] = &[
        198, 199, 117, 270, 271, 272, 41, 51, 40, 39, 97, 268, 428, 429, 430, 431, 432, 433, 442, 224, 225, 142, 89,
        60, 116, 92, 105, 106, 273, 104, 294, 241, 280, 282, 425, 426, 427, 217, 218, 219, 264, 265, 194, 180, 279,
        447, 35, 38, 276, 34, 33,
    ];
    pub const CONDITIONAL: &[Conditional] = &[threads_only(220), named_only(56, 2)];
}

/// Nothing is known of other machines' numbers: there the namespaces stand alone.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod machine {
    pub const ARCHITECTURE: u32 = 0;
    pub const REFUSED: &[u32] = &[];
    pub const CONDITIONAL: &[super::Conditional] = &[];
}

/// clone3 and openat2, whose arguments a filter cannot see; the same numbers everywhere. Whoever is told that the kernel does not have
/// them takes the older ones.
const ABSENT: &[u32] = &[435, 437];

const LOAD_WORD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
/// Errno EPERM.
const REFUSE: u32 = 0x0005_0001;
/// Errno ENOSYS.
const NOT_THERE: u32 = 0x0005_0026;
/// Offsets in `struct seccomp_data`; of an argument's lower half, on machines that put it first.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;
/// From here on x86-64 numbers its second, never used, table of calls.
const X32: u32 = 0x4000_0000;

/// The filter as a file that a child process inherits; `None` on machines that it is not written for.
pub fn filter() -> io::Result<Option<OwnedFd>> {
    if machine::REFUSED.is_empty() {
        return Ok(None);
    }
    // Without CLOEXEC: the one reader is a program that we start. It holds no secret.
    let mut file = File::from(memfd_create("syscalls", MemfdFlags::empty())?);
    file.write_all(&program())?;
    seek(&file, SeekFrom::Start(0))?;
    Ok(Some(file.into()))
}

fn program() -> Vec<u8> {
    // A jump says how many instructions to leave out if it is so, and if it is not.
    let mut steps = vec![
        (LOAD_WORD, 0, 0, ARCHITECTURE),
        (JUMP_IF_EQUAL, 1, 0, machine::ARCHITECTURE),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD_WORD, 0, 0, NUMBER),
        (JUMP_IF_AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, REFUSE),
    ];
    for call in machine::CONDITIONAL {
        let (if_set, if_not) = if call.set { (ALLOW, REFUSE) } else { (REFUSE, ALLOW) };
        steps.extend([
            (JUMP_IF_EQUAL, 0, 4, call.number),
            (LOAD_WORD, 0, 0, ARGUMENTS + 8 * call.argument),
            (JUMP_IF_BIT, 0, 1, call.bit),
            (RETURN, 0, 0, if_set),
            (RETURN, 0, 0, if_not),
        ]);
    }
    for (numbers, answer) in [(ABSENT, NOT_THERE), (machine::REFUSED, REFUSE)] {
        for &number in numbers {
            steps.extend([(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, answer)]);
        }
    }
    steps.push((RETURN, 0, 0, ALLOW));
    let mut bytes = Vec::with_capacity(steps.len() * 8);
    for (code, if_true, if_false, operand) in steps {
        bytes.extend(u16::to_ne_bytes(code));
        bytes.extend([if_true, if_false]);
        bytes.extend(u32::to_ne_bytes(operand));
    }
    bytes
}
