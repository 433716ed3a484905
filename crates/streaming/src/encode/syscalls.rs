//! System calls that no decoder needs, refused to it: sockets, tracing, mounting, modules, keys, io_uring and the like.
//!
//! A classic BPF program (seccomp(2)) in the kernel's own byte order, handed to bubblewrap as a file. Namespaces already keep these calls
//! from doing harm; this keeps the kernel's least-walked code out of reach of a decoder that was taken over.

use std::{fs::File, io, io::Write as _, os::fd::OwnedFd};

use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};

#[cfg(target_arch = "x86_64")]
mod machine {
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
    ];
}

#[cfg(target_arch = "aarch64")]
mod machine {
    /// AUDIT_ARCH_AARCH64.
    pub const ARCHITECTURE: u32 = 0xc000_00b7;
    pub const REFUSED: &[u32] = &[
        198, 199, 117, 270, 271, 272, 41, 51, 40, 39, 97, 268, 428, 429, 430, 431, 432, 433, 442, 224, 225, 142, 89,
        60, 116, 92, 105, 106, 273, 104, 294, 241, 280, 282, 425, 426, 427, 217, 218, 219, 264, 265,
    ];
}

/// Nothing is known of other machines' numbers: there the namespaces stand alone.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod machine {
    pub const ARCHITECTURE: u32 = 0;
    pub const REFUSED: &[u32] = &[];
}

const LOAD_WORD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
/// Errno EPERM.
const REFUSE: u32 = 0x0005_0001;
/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
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
    let refused = machine::REFUSED;
    // Jumps count the instructions in between: the refused calls come one after the other, then ALLOW, then REFUSE.
    let mut steps = vec![
        (LOAD_WORD, 0, 0, ARCHITECTURE),
        (JUMP_IF_EQUAL, 1, 0, machine::ARCHITECTURE),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD_WORD, 0, 0, NUMBER),
        (JUMP_IF_AT_LEAST, refused.len() as u8 + 1, 0, X32),
    ];
    for (index, &number) in refused.iter().enumerate() {
        steps.push((JUMP_IF_EQUAL, (refused.len() - index) as u8, 0, number));
    }
    steps.push((RETURN, 0, 0, ALLOW));
    steps.push((RETURN, 0, 0, REFUSE));
    let mut bytes = Vec::with_capacity(steps.len() * 8);
    for (code, if_true, if_false, operand) in steps {
        bytes.extend(u16::to_ne_bytes(code));
        bytes.extend([if_true, if_false]);
        bytes.extend(u32::to_ne_bytes(operand));
    }
    bytes
}
