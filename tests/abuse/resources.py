"""Attacks on everybody's share of the machine: each asks for a bounded amount that is more than its own."""

from tests.abuse.attack import Attack

SHARE = "the machine's memory"
PLACES = "places for processes of everybody"

MEMORY = """
def hold(megabytes):
    try:
        return bytearray(b"x") * (megabytes << 20)
    except MemoryError:
        raise OSError(errno.ENOMEM, "no memory")
"""
FILL = """
def fill(path, megabytes):
    # In parts, since a file has a limit of its own.
    parts = ["%s-%d" % (path, number) for number in range(megabytes // 20)]
    try:
        for part in parts:
            with open(part, "wb") as file:
                for _ in range(20):
                    file.write(bytes(1 << 20))
    finally:
        for part in filter(os.path.exists, parts):
            os.unlink(part)
    return "%d MiB in %s" % (megabytes, path)
"""
CROWD = """
def crowd(count, life):
    children = []
    try:
        for _ in range(count):
            child = os.fork()
            if child == 0:
                life()
                os._exit(0)
            children.append(child)
        return children
    except OSError:
        for child in children:
            os.kill(child, signal.SIGKILL)
        raise
def sleeping():
    time.sleep(20)
"""

TABLE = [
    Attack(
        "200 processes",
        PLACES,
        CROWD
        + """
for child in crowd(200, sleeping):
    os.kill(child, signal.SIGKILL)
return "200 processes"
""",
    ),
    Attack(
        "200 processes that ignore every signal",
        PLACES,
        CROWD
        + """
def stubborn():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    time.sleep(20)
for child in crowd(200, stubborn):
    os.kill(child, signal.SIGKILL)
return "200 processes"
""",
    ),
    Attack(
        "200 threads",
        PLACES,
        """
        import threading
        done = threading.Event()
        threads = [threading.Thread(target=done.wait) for _ in range(200)]
        try:
            for thread in threads:
                thread.start()
        except RuntimeError:
            raise OSError(errno.EAGAIN, "no thread")
        finally:
            done.set()
        return "200 threads"
        """,
    ),
    Attack("600 MiB of memory", SHARE, MEMORY + 'return "%d bytes" % len(hold(600))'),
    Attack(
        "600 MiB of memory in four processes",
        SHARE,
        MEMORY
        + """
def part():
    kept = hold(150)
    os.write(writer, b"x")
    time.sleep(10)
reader, writer = os.pipe()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            part()
        finally:
            os._exit(1)
    children.append(child)
os.close(writer)
held = 0
os.set_blocking(reader, False)
deadline = time.monotonic() + 8
while held < 4 and time.monotonic() < deadline:
    try:
        held += len(os.read(reader, 4))
    except BlockingIOError:
        pass
    ended = [child for child in children if os.waitpid(child, os.WNOHANG) != (0, 0)]
    children = [child for child in children if child not in ended]
    if ended:
        break
    time.sleep(0.02)
for child in children:
    os.kill(child, signal.SIGKILL)
if len(children) < 4:
    raise OSError(errno.ENOMEM, "a part was killed")
return "4 times 150 MiB" if held == 4 else None
""",
    ),
    Attack(
        "600 MiB in files that have no name",
        SHARE,
        """
        for _ in range(30):
            file = os.memfd_create("hoard")
            for _ in range(20):
                os.write(file, bytes(1 << 20))
        return "600 MiB"
        """,
    ),
    Attack(
        "600 MiB of System V shared memory",
        SHARE,
        """
        libc.shmat.restype = ctypes.c_void_p
        segment = call("shmget", 0, ctypes.c_size_t(600 << 20), 0o1600)
        place = libc.shmat(segment, None, 0)
        call("shmctl", segment, 0, None)
        if place in (None, ctypes.c_void_p(-1).value):
            raise OSError(ctypes.get_errno(), "no segment")
        ctypes.memset(place, 1, 600 << 20)
        return "600 MiB"
        """,
    ),
    Attack("200 MiB in /dev/shm", SHARE, FILL + 'return fill("/dev/shm/hoard-%d" % os.getpid(), 200)'),
    Attack("100 MiB in the workspace", "the machine's disk", FILL + 'return fill("hoard", 100)'),
    Attack("100 MiB in /tmp", "the machine's disk", FILL + 'return fill("/tmp/hoard-%d" % os.getpid(), 100)'),
    Attack(
        "12,000 files in the workspace",
        "the machine's inodes",
        """
        os.mkdir("many")
        try:
            for number in range(12_000):
                os.close(os.open("many/%d" % number, os.O_CREAT | os.O_WRONLY))
        finally:
            subprocess.run(["rm", "-rf", "many"])
        return "12,000 files"
        """,
    ),
    Attack(
        "12,000 files in /tmp",
        "the machine's inodes",
        """
        import tempfile
        folder = tempfile.mkdtemp()
        try:
            for number in range(12_000):
                os.close(os.open("%s/%d" % (folder, number), os.O_CREAT | os.O_WRONLY))
        finally:
            subprocess.run(["rm", "-rf", folder])
        return "12,000 files"
        """,
        absent={"bubblewrap": "it mounts /tmp without a count of inodes; their memory counts as the sandbox's"},
    ),
    Attack(
        "10,000 open files",
        "the machine's table of open files",
        """
        import resource
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        kept = [open("/dev/null") for _ in range(10_000)]
        return "10,000 open files"
        """,
    ),
    Attack(
        "a file of a tebibyte with nothing in it",
        "whoever copies it without looking",
        """
        with open("sparse", "wb") as file:
            try:
                os.ftruncate(file.fileno(), 1 << 40)
            finally:
                os.unlink("sparse")
        return "1 TiB"
        """,
    ),
    Attack(
        "a core dump",
        "memory on the machine's disk",
        """
        import resource
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        child = os.fork()
        if child == 0:
            os.abort()
        _, status = os.waitpid(child, 0)
        return "dumped" if os.WCOREDUMP(status) else None
        """,
    ),
    Attack(
        "memory that is never paged out",
        SHARE,
        """
        import mmap
        area = mmap.mmap(-1, 400 << 20)
        call("mlock", ctypes.byref(ctypes.c_char.from_buffer(area)), ctypes.c_size_t(400 << 20))
        return "400 MiB locked"
        """,
    ),
    Attack(
        "pipes full of data",
        "memory of the kernel that nobody counts",
        """
        kept = []
        for _ in range(300):
            reader, writer = os.pipe()
            kept.append((reader, writer))
            size = 1 << 20
            while True:
                try:
                    import fcntl
                    fcntl.fcntl(writer, 1031, size)
                    break
                except OSError:
                    size //= 2
                    if size < 4096:
                        break
            os.set_blocking(writer, False)
            while True:
                try:
                    os.write(writer, bytes(65536))
                except BlockingIOError:
                    break
        held = sum(struct.unpack("i", fcntl.ioctl(reader, 0x541B, bytes(4)))[0] for reader, _ in kept)
        return "%d MiB" % (held >> 20) if held > 256 << 20 else None
        """,
    ),
]

PROCESSOR = Attack(
    "four busy processes",
    "all processors",
    CROWD
    + """
import resource
def busy():
    while time.monotonic() < end:
        pass
start = time.monotonic()
end = start + 1
for child in crowd(4, busy):
    os.waitpid(child, 0)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
share = (used.ru_utime + used.ru_stime) / (time.monotonic() - start)
return "%.2f processors" % share if share > 0.25 else None
""",
)
"""Of a sandbox with a tenth of a processor."""
