"""The system calls that a container may make, as the profile that the Docker daemon installs.

It takes the place of the daemon's default profile and lets less through: no io_uring, no tracing of other processes, no
keyrings, no namespaces, no addresses but IP and the machine's own sockets, nothing of a 32-bit machine. A second filter
stacked on the default one would have to be installed inside, by a program that the operator's image need not have, and
would not hold for what the container starts with: those processes belong to the same user, and their memory is a file
in ``/proc``. The daemon's filter holds for every process from its first instruction on, and costs no process.
"""

import errno
import json
import socket
from collections.abc import Iterator
from functools import cache
from typing import Any

NAMESPACES = 0x7E02_0000
"""Every ``CLONE_NEW`` flag that ``clone`` understands."""
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
ROUTE = 0
"""The protocol of netlink that tells of addresses, which C libraries ask for before they resolve a name."""
ARCHITECTURES = ("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64")
PERSONALITIES = (0x0, 0x8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF)

FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate
fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat
fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioctl lchown lgetxattr link linkat
listxattr llistxattr lremovexattr lseek lsetxattr lstat memfd_create mkdir mkdirat mknod mknodat newfstatat open openat
openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename
renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee
truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
"""
MEMORY = """
brk cachestat madvise map_shadow_stack membarrier mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock
munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages
"""
PROCESSES = """
arch_prctl capget capset execve execveat exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp getpid
getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill
landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64
process_mrelease restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
sched_setscheduler sched_yield seccomp set_robust_list get_robust_list set_tid_address setfsgid setfsuid setgid
setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack tgkill tkill
vfork wait4 waitid
"""
WAITING = """
alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
epoll_wait eventfd eventfd2 futex futex_requeue futex_wait futex_waitv futex_wake getitimer gettimeofday nanosleep pause
poll ppoll pselect6 select setitimer signalfd signalfd4 time timer_create timer_delete timer_getoverrun timer_gettime
timer_settime timerfd_create timerfd_gettime timerfd_settime times
"""
TALKING = """
accept accept4 bind connect getpeername getsockname getsockopt listen mq_getsetattr mq_notify mq_open mq_timedreceive
mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 recvfrom recvmmsg recvmsg semctl semget semop semtimedop
sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown
"""
MACHINE = "getcpu getrandom sysinfo uname"
ALLOWED = " ".join((FILES, MEMORY, PROCESSES, WAITING, TALKING, MACHINE)).split()


@cache
def profile() -> str:
    """The profile as JSON; names that the daemon does not know it skips, and so refuses."""
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.EPERM,
            "archMap": [{"architecture": name, "subArchitectures": []} for name in ARCHITECTURES],
            "syscalls": [_allow(*ALLOWED), *_conditions(), _missing("clone3")],
        }
    )


def _conditions() -> Iterator[dict[str, Any]]:
    yield _allow("clone", args=[{"index": 0, "value": NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}])
    for family in FAMILIES:
        yield _allow("socket", args=[_equal(0, family)])
    yield _allow("socket", args=[_equal(0, socket.AF_NETLINK), _equal(2, ROUTE)])
    yield _allow("socketpair", args=[_equal(0, socket.AF_UNIX)])
    for personality in PERSONALITIES:
        yield _allow("personality", args=[_equal(0, personality)])


def _allow(*names: str, args: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": args or []}


def _missing(name: str) -> dict[str, Any]:
    """Its flags lie in memory, where no filter can look; told that it is not there, C libraries use ``clone``."""
    return {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS, "args": []}


def _equal(index: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": int(value), "op": "SCMP_CMP_EQ"}
