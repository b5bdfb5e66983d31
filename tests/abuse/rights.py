"""Attacks for more rights than an ordinary user has: users, capabilities, devices, files that set the kernel."""

from tests.abuse.attack import WON, Attack

ROOT = "to be root"
SETTING = "a setting by which the kernel runs a program of the attacker on the machine"
GROUPS = "its own limits away"


def _control_file(name: str, wanted: str, pattern: str) -> Attack:
    """Opening for writing is the attack; nothing is written, so the control changes nothing."""
    body = f"""
    import glob
    paths = [path for path in glob.glob({pattern!r}, recursive=True)]
    if not paths:
        raise FileNotFoundError(errno.ENOENT, "no such file")
    for path in paths:
        try:
            return opened(path)
        except OSError as error:
            last = error
    raise last
    """
    return Attack(name, wanted, body, control=(WON, "ENOENT"))


FILES = [
    _control_file("core_pattern", SETTING, "/proc/sys/kernel/core_pattern"),
    _control_file("modprobe path", SETTING, "/proc/sys/kernel/modprobe"),
    _control_file("uevent helper", SETTING, "/sys/kernel/uevent_helper"),
    _control_file("binfmt_misc", SETTING, "/proc/sys/fs/binfmt_misc/register"),
    _control_file("sysrq trigger", "an outage", "/proc/sysrq-trigger"),
    _control_file("overcommit of memory", "an outage", "/proc/sys/vm/overcommit_memory"),
    _control_file("release_agent of a control group", SETTING, "/sys/fs/cgroup/**/release_agent"),
    _control_file("memory limit of a control group", GROUPS, "/sys/fs/cgroup/**/memory.*m*"),
    _control_file("leave the control group", GROUPS, "/sys/fs/cgroup/**/cgroup.procs"),
    _control_file("device rules of a control group", "every device", "/sys/fs/cgroup/**/devices.allow"),
    _control_file("random seed", "what others take for chance", "/proc/sys/kernel/random/*_interval"),
    _control_file("block devices in /sys", "the machine's disks", "/sys/block/*/queue/scheduler"),
    Attack(
        "memory image of the kernel",
        "secrets of everybody",
        'return opened("/proc/kcore", os.O_RDONLY)',
        control=(WON, "ENOENT"),
    ),
    Attack(
        "lower oom_score_adj",
        "others are killed first when memory is short",
        'with open("/proc/self/oom_score_adj", "w") as file: file.write("-900")\nreturn "-900"',
        control=(WON, "EACCES"),  # of a root who is himself in a container
    ),
    Attack(
        "mount a control group file system",
        GROUPS,
        'call("mount", b"none", b"/tmp", b"cgroup2", 0, None)\nreturn os.listdir("/tmp")',
    ),
]


def _device(path: str, wanted: str) -> Attack:
    return Attack(f"open {path}", wanted, f'return opened("{path}", os.O_RDWR)', control=(WON, "ENOENT", "EBUSY"))


DEVICES = [
    _device("/dev/mem", "all memory"),
    _device("/dev/kmsg", "the kernel's log"),
    _device("/dev/kvm", "a virtual machine, and the holes of its code"),
    _device("/dev/fuse", "a file system of its own"),
    _device("/dev/vsock", "the machine below this one"),
    _device("/dev/net/tun", "a network of its own"),
    _device("/dev/loop-control", "file systems of its own making, for the kernel to trip over"),
    Attack(
        "make a device of the disk",
        "every file of the machine",
        """
        import stat
        os.mknod("disk-%d" % os.getpid(), stat.S_IFBLK | 0o600, os.makedev(254, 0))
        os.unlink("disk-%d" % os.getpid())
        return "254:0"
        """,
    ),
    Attack(
        "open any block device there is",
        "every file of the machine",
        """
        import stat
        for folder, _, names in os.walk("/dev"):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISBLK(os.lstat(path).st_mode):
                    return opened(path, os.O_RDONLY)
        """,
        control=(WON, "nothing"),
    ),
]

USERS = [
    Attack("setuid 0", ROOT, 'os.setuid(0)\nreturn "uid %d" % os.getuid()'),
    Attack("setresuid 0", ROOT, 'os.setresuid(0, 0, 0)\nreturn "uid %d" % os.getuid()'),
    Attack("setgid 0", ROOT, 'os.setgid(0)\nreturn "gid %d" % os.getgid()'),
    Attack("setgroups", "files that a group may read", "os.setgroups([0, 4, 6])\nreturn str(os.getgroups())"),
    Attack(
        "su",
        ROOT,
        """
        done = subprocess.run(["su", "root", "-c", "id -u"], capture_output=True, stdin=subprocess.DEVNULL)
        return "uid 0" if done.stdout.strip() == b"0" else None
        """,
    ),
    Attack(
        "each setuid program",
        ROOT,
        """
        import stat
        for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0"):
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                path = os.path.join(folder, name)
                facts = os.stat(path) if os.path.exists(path) else None
                if facts and facts.st_mode & stat.S_ISUID and not os.statvfs(path).f_flag & os.ST_NOSUID:
                    if "NoNewPrivs:\\t1" not in open("/proc/self/status").read():
                        return path
        """,
    ),
    Attack(
        "setuid root program of its own",
        ROOT,
        """
        path = "/tmp/own-%d" % os.getpid()
        open(path, "w").close()
        try:
            os.chown(path, 0, 0)
            os.chmod(path, 0o4755)
        finally:
            os.unlink(path)
        return "a file of root with mode 4755"
        """,
    ),
    Attack(
        "capabilities on a file",
        "rights for whoever runs it",
        """
        path = "own-%d" % os.getpid()
        open(path, "w").close()
        try:
            os.setxattr(path, "security.capability", struct.pack("<IIIII", 0x02000001, 0x200000, 0, 0, 0))
        finally:
            os.unlink(path)
        return "cap_sys_admin"
        """,
    ),
    Attack(
        "raise capabilities",
        "all rights of root",
        """
        header, data = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 1 << 21, 1 << 21, 0, 0, 0, 0)
        call("capset", header, data)
        return "cap_sys_admin"
        """,
    ),
    Attack(
        "no-new-privileges off",
        "setuid programs that work again",
        """
        flag = libc.prctl(39, 0, 0, 0, 0)
        call("prctl", 38, 0, 0, 0, 0) if flag else None
        return None if flag else "it was never on"
        """,
    ),
    Attack(
        "raise a hard limit",
        "more files than allowed",
        """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (65, 65))
        except ValueError:
            return None
        return str(resource.getrlimit(resource.RLIMIT_NOFILE))
        """,
        control=(WON, "nothing"),  # of a root who is himself in a container
    ),
    Attack(
        "write the program of PID 1",
        "to run as whoever starts the next sandbox",
        'return past("ETXTBSY", opened, "/proc/1/exe", os.O_WRONLY)',
    ),
    Attack(
        "write to the programs of the sandbox",
        "to run in the next sandbox, and in the collector",
        """
        for path in ("/etc/ld.so.preload", "/etc/passwd", "/usr/bin/tar", "/bin/sh", "/usr/bin/git"):
            try:
                return opened(path, os.O_WRONLY | os.O_APPEND)
            except OSError as error:
                last = error
        raise last
        """,
    ),
]

TABLE = [*FILES, *DEVICES, *USERS]
