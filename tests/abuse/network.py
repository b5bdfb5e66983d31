"""Attacks over sockets: where clouds answer, the machine's own services, the container API, odd families."""

from tests.abuse.attack import WON, Attack

CREDENTIALS = "the credentials of the machine it runs on"
SERVICES = "what the machine offers to itself only"
API = "a container with all rights on the machine"
HOLES = "kernel code that ordinary programs never reach"

SPEAK = """
import json
target = json.loads(sys.argv[1])
def connected(host, port):
    with socket.create_connection((host, port), 3) as connection:
        return "connected to %s" % (connection.getpeername(),)
"""


def _address(name: str, wanted: str, address: str, port: int = 80) -> Attack:
    return Attack(name, wanted, SPEAK + f"return connected({address!r}, {port})")


ADDRESSES = {
    "metadata of AWS": ("169.254.169.254", CREDENTIALS),
    "credentials of an ECS task": ("169.254.170.2", CREDENTIALS),
    "credentials of an EKS pod": ("169.254.170.23", CREDENTIALS),
    "metadata of AWS over IPv6": ("fd00:ec2::254", CREDENTIALS),
    "metadata of Azure": ("168.63.129.16", CREDENTIALS),
    "metadata of Alibaba": ("100.100.100.200", CREDENTIALS),
    "an address of the internet": ("1.1.1.1", "a way out for what it has read"),
    "an address of the internet over IPv6": ("2606:4700:4700::1111", "a way out for what it has read"),
    "a container on the default bridge": ("172.17.0.2", "the services beside it"),
    "a machine of the private network": ("10.0.0.1", "the services beside it"),
    "the cluster's API": ("10.96.0.1", "a pod with all rights"),
}
"""Each is an address of the control's own loopback, with a listener behind it."""

FAR = [
    *(_address(name, wanted, address) for name, (address, wanted) in ADDRESSES.items()),
    Attack("the default gateway", "the network's own services", SPEAK + 'return connected(target["gateway"], 80)'),
    _address("container API over TCP", API, "127.0.0.1", 2375),
    _address("container API over TLS", API, "127.0.0.1", 2376),
    _address("kubelet", "all pods of the node", "127.0.0.1", 10250),
    _address("metadata of Google by name", CREDENTIALS, "metadata.google.internal"),
]

DEAF = (
    SPEAK
    + """
with socket.socket(family, socket.SOCK_DGRAM) as sender:
    sender.settimeout(2)
    sender.connect(address)
    sender.send(b"echo")
    return sender.recv(100)
"""
)

NEAR = [
    Attack("a loopback service", SERVICES, SPEAK + 'return connected("127.0.0.1", target["loopback"])'),
    Attack("a loopback service over IPv6", SERVICES, SPEAK + 'return connected("::1", target["loopback6"])'),
    Attack(
        "a service on all addresses",
        SERVICES,
        SPEAK
        + """
        for address in target["addresses"]:
            try:
                return connected(address, target["everywhere"])
            except OSError as error:
                last = error
        raise last
        """.replace("\n        ", "\n"),
    ),
    Attack(
        "the broker",
        "the queues of all runs",
        SPEAK
        + """
with socket.create_connection(("127.0.0.1", target["redis"]), 3) as connection:
    connection.sendall(b"PING\\r\\n")
    return connection.recv(100)
""",
    ),
    Attack(
        "a datagram",
        "a way out that no connection shows",
        DEAF.replace("address)", '("127.0.0.1", target["datagram"]))').replace("family", "socket.AF_INET"),
        control=(WON,),
    ),
    Attack(
        "a name server",
        "a way out by the names it asks for",
        """
        for line in open("/etc/resolv.conf"):
            if line.startswith("nameserver"):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.connect((line.split()[1], 53))
                    return "a route to " + line.split()[1]
        """,
        control=(WON, "nothing"),
    ),
    Attack(
        "an abstract socket of the machine",
        SERVICES,
        SPEAK
        + """
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("\\0" + target["abstract"])
    return "connected"
""",
    ),
    Attack(
        "a socket file of the machine",
        SERVICES,
        SPEAK
        + """
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(target["path"])
    return "connected"
""",
    ),
]

PING = """
import glob
last = FileNotFoundError(errno.ENOENT, "no such socket")
for path in paths:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
            return path
        except OSError as error:
            last = error
raise last
"""
DAEMONS = [
    Attack("container API by its path", API, SPEAK + 'paths = [target["daemon"], "/var/run/docker.sock"]' + PING),
    Attack("container API through PID 1", API, SPEAK + 'paths = ["/proc/1/root" + target["daemon"]]' + PING),
    Attack(
        "container API through a link in the workspace",
        API,
        SPEAK
        + """
import tempfile
link = os.path.join(tempfile.mkdtemp(), "socket")
os.symlink(target["daemon"], link)
paths = [link]
"""
        + PING,
    ),
    Attack(
        "any socket file there is",
        API,
        """
        import stat
        places = ("/run", "/dev", "/etc", "/home", "/opt", "/root", "/srv", "/tmp", "/var", "/workspace")
        for folder, _, names in (found for place in places for found in os.walk(place)):
            for path in (os.path.join(folder, name) for name in names):
                if os.path.lexists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
                    with socket.socket(socket.AF_UNIX) as connection:
                        if connection.connect_ex(path) == 0:
                            return path
        """,
    ),
]


def _family(name: str, number: int, kind: int, wanted: str = HOLES, protocol: int = 0) -> Attack:
    body = f'socket.socket({number}, {kind}, {protocol}).close()\nreturn "a socket"'
    return Attack(name, wanted, body, control=(WON, "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"))


FAMILIES = [
    _family("vsock", 40, 1, "the machine below this one, past every network rule"),
    _family("raw socket", 2, 3, "forged packets", 1),
    _family("packet socket", 17, 3, "the traffic of others", 0x0300),
    _family("kernel cryptography socket", 38, 5),
    _family("netlink of the audit system", 16, 3, HOLES, 9),
    _family("netlink of the packet filter", 16, 3, HOLES, 12),
    _family("netlink of xfrm", 16, 3, HOLES, 6),
    _family("CAN bus socket", 29, 3, HOLES, 1),
    _family("TIPC socket", 30, 1),
    _family("RDS socket", 21, 5),
    _family("Bluetooth socket", 31, 3, HOLES, 1),
    _family("SCTP socket", 2, 1, HOLES, 132),
    _family("XDP socket", 44, 3),
    Attack(
        "vsock to the machine below",
        "the machine below this one, past every network rule",
        """
        with socket.socket(40, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            return past("ECONNRESET", past, "ENODEV", past, "ETIMEDOUT", connection.connect, (2, 1))
        """,
        control=(WON, "EAFNOSUPPORT", "TimeoutError", "EHOSTUNREACH"),
    ),
    Attack(
        "an interface of its own",
        "a network of its own",
        """
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
            name = b"evil0\\0\\0\\0"
            info = struct.pack("HH", 9, 1) + b"dummy\\0\\0\\0"
            body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + struct.pack("HH", 12, 3) + name
            body += struct.pack("HH", 4 + len(info), 18) + info
            link.sendto(struct.pack("IHHII", 16 + len(body), 16, 0x605, 1, 0) + body, (0, 0))
            code = -struct.unpack("i", link.recv(4096)[16:20])[0]
            if code:
                raise OSError(code, os.strerror(code))
            return "evil0"
        """,
        control=(WON, "ENOTSUP", "ENODEV"),
    ),
]
