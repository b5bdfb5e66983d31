"""Attacks by and on what runs share: dependency caches, and the artifacts of runs."""

from tests.abuse.archives import ELSEWHERE
from tests.abuse.attack import Attack

FULL = "a machine without room"
POISON = "code of its own in another run"
OTHERS = "what another run, or another repository, has"

SETUPS = [
    Attack(
        "cache: a zip bomb",
        FULL,
        """
        import zipfile
        with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("zeros", "w") as zeros:
            for _ in range(70):
                zeros.write(bytes(1 << 20))
        small = os.path.getsize("bomb.zip")
        zipfile.ZipFile("bomb.zip").extractall(".")
        return "%d bytes from %d" % (os.path.getsize("zeros"), small)
        """,
    ),
    Attack(
        "cache: more files than it may hold",
        FULL,
        """
        for number in range(12_000):
            open("f%d" % number, "w").close()
        return "12,000 files"
        """,
    ),
    Attack(
        "cache: files of holes",
        FULL,
        """
        for number in range(20):
            with open("holes%d" % number, "w") as file:
                file.truncate(60 << 20)
        return "%d bytes without a block" % sum(entry.stat().st_size for entry in os.scandir(".") if entry.is_file())
        """,
    ),
    Attack(
        "cache: a setuid program",
        "the rights of its owner in another run",
        """
        import shutil
        shutil.copy("/bin/sh", "shell")
        os.chmod("shell", 0o6755)
        return oct(os.stat("shell").st_mode) if os.stat("shell").st_mode & 0o6000 else None
        """,
    ),
    Attack(
        "cache: a device",
        "the machine's memory or disk in another run",
        'os.mknod("null", 0o666 | 0o020000, os.makedev(1, 3))\nreturn "a device"',
    ),
    Attack(
        "cache: a pipe",
        "a run that waits for ever",
        'os.mkfifo("requirements")\nreturn "a pipe"',
    ),
    Attack(
        "cache: files of a hostile tree with the same lock file",
        POISON,
        """
        places = [".", *filter(os.path.isdir, ["/workspace", "/cache"])]
        found = sorted({"evil.py", ".git", "src"}.intersection(name for place in places for name in os.listdir(place)))
        return ", ".join(found) or None
        """,
    ),
    Attack(
        "cache: another cache, while one is made",
        POISON,
        """
        import glob
        for folder in ("/cache", "/workspace", sys.argv[1]):
            for path in glob.glob(folder + "/**/of-another", recursive=True):
                with open(path, "a") as file:
                    file.write("evil")
                return path
        """,
    ),
]
"""What a setup command does, and comes to if a cache is kept with it."""

WRITES = [
    Attack(f"cache: {name}", POISON, f"folder = sys.argv[1]\n{body}")
    for name, body in (
        ("a new file, from a run", 'open(folder + "/evil", "w").close()\nreturn "a file"'),
        ("a changed file, from a run", 'open(folder + "/bin/hello", "a").write("evil")\nreturn "changed"'),
        ("a file less, from a run", 'os.unlink(folder + "/made/at")\nreturn "gone"'),
        ("another file in its place, from a run", 'os.rename(folder + "/bin", folder + "/was")\nreturn "renamed"'),
        ("other rights, from a run", 'os.chmod(folder + "/bin/link", 0o4777)\nreturn "changed"'),
        ("a later time, from a run", 'os.utime(folder + "/bin/link", (1, 1))\nreturn "changed"'),
        (
            "through a process's root, from a run",
            'open("/proc/self/root" + folder + "/e", "w").close()\nreturn "a file"',
        ),
        (
            "mounted anew, from a run",
            """
place = folder if folder == "/cache" else "/"
call("mount", None, place.encode(), None, 0x1020, None)
return "writable"
""",
        ),
    )
]
"""With the folder of the cache, or of a copy of it."""

LINK = Attack(
    "cache: a link to a file of the machine",
    "the worker's token",
    'return open(sys.argv[1] + "/secret").read()[:6]',
)
FOREIGN = Attack(
    "cache: the one of another repository with the same lock file",
    OTHERS,
    'return open(sys.argv[1] + "/of-another").read()',
)
UNPACKED = Attack("cache: a tar that is not what tar makes", ELSEWHERE, "")
ARTIFACT = Attack(
    "artifact of another run, in Redis, by its name and with the password",
    OTHERS,
    """
    import json
    port, password, key, digest = json.loads(sys.argv[1])
    with socket.create_connection(("127.0.0.1", port), 5) as line:
        line.sendall(("AUTH %s\\r\\n" % password).encode())
        line.recv(1000)
        line.sendall(("HGET %s %s\\r\\n" % (key, digest)).encode())
        answer = line.recv(1000)
    return answer if answer.startswith(b"$") and not answer.startswith(b"$-1") else None
    """,
)
NAMED = Attack("artifact of another run, by its digest in an outcome", OTHERS, "")
