"""Attacks of one sandbox on another beside it: on what that has on display, and on what the kernel counts per user."""

from tests.abuse.attack import Attack

MARK = "neighbour"
SEEN = "what another run does"
TALK = "a channel to another run"
STARVE = "another run that cannot work"

PRESENT = r"""
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
for folder in ("/tmp", "/dev/shm", os.getcwd()):
    open(folder + "/of-the-neighbour", "w").close()
segment = libc.shmget(0x6E65, ctypes.c_size_t(4096), 0o1666)
queue = libc.mq_open(b"/of-the-neighbour", os.O_CREAT | os.O_RDWR, 0o666, None)
kept = []
for family, address in ((socket.AF_INET, ("127.0.0.1", 5555)), (socket.AF_UNIX, "\0of-the-neighbour"),
                        (socket.AF_UNIX, "/tmp/socket-of-the-neighbour")):
    kept.append(socket.socket(family))
    kept[-1].bind(address)
    kept[-1].listen()
    kept[-1].set_inheritable(True)
os.chmod("/tmp/socket-of-the-neighbour", 0o777)
print("READY", flush=True)
os.execvpe("sleep", ["sleep", sys.argv[1]], {**os.environ, "SECRET": "of-the-neighbour"})
"""
"""Puts everything on display that might be seen, then sleeps for so many seconds."""

BESIDE = """
if len(sys.argv) > 2:
    beside = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], stdout=subprocess.PIPE)
    assert beside.stdout.readline() == b"READY\\n"
    while open("/proc/%d/comm" % beside.pid).read() != "sleep\\n":
        time.sleep(0.01)
"""
"""The control is its own neighbour."""


def _look(name: str, wanted: str, body: str) -> Attack:
    return Attack(name, wanted, BESIDE + body)


TABLE = [
    *(
        _look(f"the neighbour's files in {folder}", SEEN, f'open("{folder}/of-the-neighbour").close()\nreturn "a file"')
        for folder in ("/tmp", "/dev/shm", ".")
    ),
    _look(
        "the neighbour's processes",
        SEEN,
        """
import glob
for path in glob.glob("/proc/[0-9]*/cmdline"):
    words = open(path, "rb").read().split(b"\\0")
    if words[:2] == [b"sleep", sys.argv[1].encode()]:
        return path
""",
    ),
    _look(
        "the neighbour's environment",
        SEEN,
        """
import glob
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if b"SECRET=of-the-neighbour" in open(path, "rb").read():
            return path
    except OSError:
        pass
""",
    ),
    _look(
        "a signal to the neighbour",
        "the end of another run",
        """
for process in range(2, 5_000):
    if process in (os.getpid(), os.getppid()):
        continue
    try:
        os.kill(process, 0)
        words = open("/proc/%d/cmdline" % process, "rb").read().split(b"\\0")
    except OSError:
        continue
    if words[:2] == [b"sleep", sys.argv[1].encode()]:
        return "process %d" % process
""",
    ),
    _look(
        "the neighbour's System V memory",
        TALK,
        'return "segment %d" % call("shmget", 0x6E65, ctypes.c_size_t(4096), 0)',
    ),
    _look(
        "the neighbour's message queue",
        TALK,
        'return "queue %d" % call("mq_open", b"/of-the-neighbour", os.O_RDWR)',
    ),
    _look(
        "the neighbour's loopback service",
        TALK,
        'socket.create_connection(("127.0.0.1", 5555), 3).close()\nreturn "connected"',
    ),
    *(
        _look(
            f"the neighbour's {kind} socket",
            TALK,
            f"""
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    return "connected"
""",
        )
        for kind, address in (("abstract", "\0of-the-neighbour"), ("file", "/tmp/socket-of-the-neighbour"))
    ),
]

TAKE = r"""
import ctypes, fcntl, os, resource, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
if os.getuid() == 0:
    os.setuid(54321)
"""
READY = '\nprint("READY", flush=True)\nos.execvp("sleep", ["sleep", sys.argv[1]])\n'

STARVATION = [
    (
        Attack(
            "all room for queued signals",
            STARVE,
            BESIDE
            + """
if os.getuid() == 0:
    os.setuid(54321)
signal.signal(signal.SIGRTMIN, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN + 1])
try:
    call("sigqueue", os.getpid(), signal.SIGRTMIN + 1, None)
except OSError as error:
    return "none left: " + error.strerror
""",
        ),
        TAKE
        + """
resource.setrlimit(resource.RLIMIT_SIGPENDING, (resource.getrlimit(resource.RLIMIT_SIGPENDING)[1],) * 2)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN + 1])
while libc.sigqueue(os.getpid(), signal.SIGRTMIN + 1, None) == 0: pass
"""
        + READY,
    ),
    (
        Attack(
            "all watches of files",
            STARVE,
            BESIDE
            + """
if os.getuid() == 0:
    os.setuid(54321)
try:
    call("inotify_init1", 0)
except OSError as error:
    return "none left: " + error.strerror
""",
        ),
        TAKE + "while (file := libc.inotify_init1(0)) >= 0: os.set_inheritable(file, True)" + READY,
    ),
    (
        Attack(
            "all room in message queues",
            STARVE,
            BESIDE
            + """
if os.getuid() == 0:
    os.setuid(54321)
name = b"/q-%d" % os.getpid()
try:
    call("mq_open", name, os.O_CREAT | os.O_RDWR, 0o600, None)
except OSError as error:
    return "none left: " + error.strerror
libc.mq_unlink(name)
""",
        ),
        TAKE
        + """
number = 0
while (queue := libc.mq_open(b"/hoard-%d" % number, os.O_CREAT | os.O_RDWR, 0o600, None)) >= 0:
    os.set_inheritable(queue, True)
    number += 1
"""
        + READY,
    ),
    (
        Attack(
            "all memory of pipes",
            STARVE,
            BESIDE
            + """
import fcntl
if os.getuid() == 0:
    os.setuid(54321)
reader, writer = os.pipe()
size = fcntl.fcntl(writer, 1032)
return "a pipe of %d bytes" % size if size < 65536 else None
""",
        ),
        TAKE
        + """
kept = []
for _ in range(100):
    pair = os.pipe()
    for size in (1 << 20, 1 << 19, 1 << 18, 1 << 17):
        try:
            fcntl.fcntl(pair[1], 1031, size)
            break
        except OSError:
            pass
    for file in pair:
        os.set_inheritable(file, True)
    kept.append(pair)
for _ in range(800):
    for file in os.pipe():
        os.set_inheritable(file, True)
"""
        + READY,
    ),
]
"""With the program that takes everything, then holds it."""
