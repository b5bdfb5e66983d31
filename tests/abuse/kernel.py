"""Attacks on the kernel's surface: mounts, namespaces, system calls that reach further than a process."""

from tests.abuse.attack import WON, Attack

MOUNTED = "mounts of its own, over or out of what the sandbox shows"
ESCAPED = "namespaces with all rights in them, from where most kernel holes are reached"
CODE = "code of its own in the kernel"

CLONE = {"user": 0x10000000, "mnt": 0x00020000, "net": 0x40000000, "pid": 0x20000000, "cgroup": 0x02000000}

MOUNTS = [
    Attack(
        "mount a tmpfs",
        MOUNTED,
        'call("mount", b"none", b"/tmp", b"tmpfs", 0, None)\nreturn "mounted"',
    ),
    Attack(
        "bind-mount the root",
        MOUNTED,
        'call("mount", b"/", b"/tmp", None, 4096 | 16384, None)\nreturn os.listdir("/tmp")',
    ),
    Attack(
        "remount the root writable",
        "to change the programs of the sandbox",
        'call("mount", None, b"/", None, 32 | 4096, None)\nreturn "remounted"',
    ),
    Attack(
        "unmount /proc",
        "what lies below a mount",
        'call("umount2", b"/proc", 2)\nreturn "unmounted"',
    ),
    Attack(
        "the new mount interface",
        MOUNTED,
        'return "file system context %d" % syscall("fsopen", b"tmpfs", 0)',
    ),
    Attack(
        "clone a mount tree",
        MOUNTED,
        'return "tree %d" % syscall("open_tree", -100, b"/", 1 | 0x8000)',
    ),
    Attack(
        "drop read-only from a mount",
        "to change the programs of the sandbox",
        """
        attributes = struct.pack("QQQQ", 0, 1, 0, 0)
        syscall("mount_setattr", -100, b"/", 0, attributes, len(attributes))
        return "writable"
        """,
    ),
    Attack("pivot_root", "another root folder", 'return past("EBUSY", syscall, "pivot_root", b"/tmp", b"/tmp")'),
    Attack("chroot", "another root folder", 'os.chroot("/tmp")\nreturn "root is /tmp"'),
]

NAMESPACES = [
    *(
        Attack(
            f"unshare a namespace: {name}",
            ESCAPED,
            f'call("unshare", {flag})\nreturn "own namespace"',
        )
        for name, flag in CLONE.items()
    ),
    Attack(
        "clone3 a user namespace",
        ESCAPED,
        """
        arguments = struct.pack("8Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
        child = syscall("clone3", arguments, len(arguments))
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return "child in a user namespace"
        """,
    ),
    *(
        Attack(
            f"enter the {name} namespace of PID 1",
            "the namespace in which PID 1 was set up",
            f'call("setns", os.open("/proc/1/ns/{name}", os.O_RDONLY), 0)\nreturn "entered"',
        )
        for name in ("mnt", "net", "pid")
    ),
    Attack(
        "rename the machine",
        "a say in what the machine is",
        'call("sethostname", b"evil", 4)\nreturn os.uname().nodename',
    ),
]

CALLS = [
    Attack(
        "bpf",
        CODE,
        """
        attributes = struct.pack("IIIII", 2, 4, 8, 1, 0) + bytes(100)
        return "map %d" % syscall("bpf", 0, attributes, len(attributes))
        """,
    ),
    Attack(
        "perf_event_open on all processes",
        "what other processes do, by their timing",
        """
        attributes = bytearray(struct.pack("IIQ", 1, 112, 0) + bytes(96))
        return "event %d" % syscall("perf_event_open", bytes(attributes), -1, 0, -1, 0)
        """,
        control=(WON, "ENOSYS"),
    ),
    Attack(
        "add a key",
        "a store that other sandboxes of the same user share",
        'return "key %d" % syscall("add_key", b"user", b"evil", b"secret", 6, -2)',
    ),
    Attack("keyctl", "keys of others", 'return "keyring %d" % syscall("keyctl", 0, -3, 1)'),
    Attack(
        "request a key",
        "a program that the kernel starts on the machine for it",
        'return past("ENOKEY", syscall, "request_key", b"user", b"no such key", None, 0)',
    ),
    Attack("userfaultfd", "to halt the kernel in the middle of a copy", 'return syscall("userfaultfd", 1)'),
    Attack(
        "io_uring",
        "system calls that no filter sees",
        'return "ring %d" % syscall("io_uring_setup", 4, bytes(200))',
    ),
    Attack(
        "ptrace PID 1",
        "the process that the sandbox was set up with",
        """
        call("ptrace", 0x4206, 1, None, None)
        return "attached to " + open("/proc/1/comm").read()
        """,
    ),
    Attack(
        "ptrace a sibling",
        "what another command of the sandbox has in memory",
        """
        sibling = subprocess.Popen(["sleep", "20"])
        try:
            call("ptrace", 0x4206, sibling.pid, None, None)
        finally:
            sibling.kill()
        return "attached"
        """,
    ),
    Attack(
        "take a file of PID 1",
        "what PID 1 has open",
        'return "file %d" % syscall("pidfd_getfd", syscall("pidfd_open", 1, 0), 0, 0)',
    ),
    Attack(
        "kexec",
        "another kernel",
        'return past("EINVAL", syscall, "kexec_load", 0, 0, 0, 0xFFFF)',
        control=(WON, "ENOSYS"),
    ),
    Attack(
        "load a module",
        CODE,
        'return past("ENOEXEC", syscall, "init_module", b"not a module" * 100, 1200, b"")',
        control=(WON, "ENOSYS"),
    ),
    Attack(
        "unload a module",
        "the end of what guards the machine",
        'return past("ENOENT", syscall, "delete_module", b"no_such_module", 0)',
        control=(WON, "ENOSYS"),
    ),
    Attack(
        "restart the machine",
        "an outage",
        'return past("EINVAL", syscall, "reboot", 0, 0, 0, None)',
    ),
    Attack("swap on a file", "memory without a limit", 'return past("ENOENT", call, "swapon", b"/tmp/none", 0)'),
    Attack(
        "process accounting",
        "a log of what others run",
        'return past("ENOENT", call, "acct", b"/tmp/none")',
        control=(WON, "ENOSYS"),
    ),
    Attack(
        "set the clock", "leases and certificates that end early", 'syscall("settimeofday", None, None)\nreturn "set"'
    ),
    Attack(
        "personality without address randomisation",
        "exploits that hit at the first try",
        'call("personality", 0x0040000)\nreturn "fixed addresses"',
        absent={"bubblewrap": "no system-call filter; what it does stays inside"},
    ),
    Attack(
        "open by handle",
        "files of the machine beyond the sandbox's root",
        """
        mount, handle = ctypes.c_int(), ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
        syscall("name_to_handle_at", -100, b"/usr", handle, ctypes.byref(mount), 0)
        return "file %d" % syscall("open_by_handle_at", os.open("/usr", os.O_RDONLY), handle, os.O_RDONLY)
        """,
    ),
    Attack("fanotify", "to see and to hold up what others open", 'return "group %d" % syscall("fanotify_init", 4, 0)'),
    Attack(
        "kernel log",
        "addresses of the kernel, words of other processes",
        'return "%d bytes" % syscall("syslog", 3, ctypes.create_string_buffer(4096), 4096)',
    ),
    Attack(
        "real-time scheduling",
        "the processor before everybody else",
        'os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\nreturn "real time"',
    ),
    Attack("higher priority", "the processor before everybody else", 'os.nice(-5)\nreturn "nice -5"'),
    Attack(
        "input and output ports",
        "the hardware",
        'call("iopl", 3)\nreturn "ports"',
        control=(WON, "ENOSYS"),
    ),
]

TABLE = [*MOUNTS, *NAMESPACES, *CALLS]
