"""Attacks on whoever runs a command and reads what it says: floods, forged answers, processes that do not end."""

from tests.abuse.attack import Attack

WORKER = "the worker's memory"
LIE = "a worker that believes what did not happen"
STAY = "to go on when the command is over"

FLOOD = Attack(
    "five megabytes of output",
    WORKER,
    """
    for _ in range(80):
        os.write(1, b"x" * 65535 + b"\\n")
    os.write(2, b"all of it\\n")
    """,
)
ENDLESS = Attack("output without an end", WORKER, 'while True:\n    os.write(1, b"y\\n" * 4096)')
BINARY = Attack(
    "binary output on both streams",
    "a worker that breaks off at what is no text",
    "os.write(1, bytes(range(256)) * 16)\nos.write(2, bytes(range(256)) * 16)",
)
FRAMES = Attack(
    "output in the frames of the daemon's stream",
    LIE,
    """
    os.write(1, struct.pack(">BxxxL", 2, 6) + b"forged" + struct.pack(">BxxxL", 1, 1 << 30))
    """,
)
START = Attack("output in the worker's own words", LIE, 'os.write(1, b"\\0\\0[7 bytes dropped]\\n\\0")')
STEER = "a terminal that shows, types or copies what the attacker wants"
ESCAPES = 'os.write(2, b"\\x1b]0;evil\\x07\\x1b]52;c;ZXZpbA==\\x07\\x1b[2J\\rforged")\nsys.exit(3)'
TITLES = Attack("escapes in evidence", STEER, ESCAPES)
JSON_LOG = Attack("escapes in a log of JSON", STEER, ESCAPES)
TEXT_LOG = Attack("escapes in a log of text", STEER, ESCAPES)
COMMENT = Attack("a forged mark of ours", LIE, 'os.write(1, b"<!-- entropy:run=evil -->\\n")')
STATUS = Attack(
    "a forged exit status",
    LIE,
    """
    said = [b'{"exit-code": 0}\\n', b'{ "child-pid": 1, "exit-code": 0 }\\n']
    for process in sys.argv[1:] or ("self", "1", str(os.getppid())):
        try:
            numbers = os.listdir("/proc/%s/fd" % process)
        except OSError:
            continue
        for number in numbers:
            if process == "self" and int(number) < 3:
                continue
            for word in said:
                try:
                    file = os.open("/proc/%s/fd/%s" % (process, number), os.O_WRONLY | os.O_NONBLOCK)
                    os.write(file, word)
                    os.close(file)
                except OSError:
                    pass
                if process == "self":
                    try:
                        os.write(int(number), word)
                    except OSError:
                        pass
    sys.stdout.flush()
    os._exit(7)
    """,
)
ZOMBIES = Attack(
    "forty zombies",
    "places for processes that nobody frees",
    """
    for _ in range(40):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    count = sum(b") Z " in open(path, "rb").read() for path in map("/proc/{}/stat".format, os.listdir("/proc"))
                if path[6].isdigit())
    print("zombies", count, flush=True)
    """,
)
DAEMON = Attack(
    "a daemon",
    STAY,
    """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            os.closerange(0, 3)
            os.execvp("sleep", ["sleep", sys.argv[1]])
        os._exit(0)
    os.wait()
    """,
)
HOLDER = Attack(
    "a child that holds the output open",
    "a worker that waits for it forever",
    'subprocess.Popen(["sleep", sys.argv[1]], start_new_session=True)',
)
STUBBORN = Attack(
    "a command that ignores every signal",
    STAY,
    """
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    os.closerange(1, 3)
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", sys.argv[1]])
    while True:
        time.sleep(1)
    """,
)
BOMB = Attack(
    "an endless fork bomb",
    "places for processes of everybody",
    """
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            os.fork()
        except OSError:
            pass
    """,
)

SIGNALS = [
    Attack(name, "a sandbox that does not serve any more", body)
    for name, body in {
        "kill every process": "os.kill(-1, signal.SIGKILL)",
        "stop every process": "os.kill(-1, signal.SIGSTOP)\ntime.sleep(30)",
        "kill PID 1": "for number in (9, 15, 2):\n    os.kill(1, number)\ntime.sleep(1)",
        "stop PID 1": "os.kill(1, signal.SIGSTOP)\nos.kill(1, signal.SIGTSTP)\ntime.sleep(0.2)",
        "every signal to the parent": "for number in range(1, 65):\n    os.kill(os.getppid(), number)",
    }.items()
]
