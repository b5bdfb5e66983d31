"""Celery's own settings: only keys that Celery documents, values from `entropy.settings`, each with its reason."""

from kombu import Exchange, Queue

from entropy.lifecycle.queues import SCHEDULING, queue_names
from entropy.settings import settings
from entropy.wiring import toolbox

_settings = settings()
_prefix = f"{_settings.redis.prefix}:celery:"
_execute = _settings.sandbox.timeout

broker_url = _settings.redis.url
result_backend = _settings.redis.url  # for `discover.delay().get()`; stages keep no results, their run is the record
result_expires = 3600
task_ignore_result = True

# A half-open connection shows within seconds instead of at the kernel's leisure.
broker_transport_options = {
    "global_keyprefix": _prefix,
    # Longer than any task: with Redis a message that is redelivered earlier runs twice.
    "visibility_timeout": int(max(86400, 4 * _execute)),
    "health_check_interval": 10,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
}
result_backend_transport_options = {"global_keyprefix": _prefix}
redis_socket_connect_timeout = 3
broker_connection_retry_on_startup = True
# An hour of paid work is worth more than a connection that blinked.
worker_cancel_long_running_tasks_on_connection_loss = False

# The reaper recovers, not the broker: early acknowledgement, nothing fetched ahead.
task_acks_late = False
worker_prefetch_multiplier = 1
worker_disable_prefetch = True

# A misspelt queue is an error, not a queue that nobody serves.
_exchange = Exchange("entropy", type="direct")
task_queues = tuple(Queue(name, _exchange, routing_key=name) for name in queue_names(toolbox().agents.roles()))
task_default_queue = SCHEDULING
task_create_missing_queues = False
task_routes = {"entropy.scheduling.*": {"queue": SCHEDULING}}

accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"
imports = ("entropy.lifecycle.chain", "entropy.scheduling.discovery", "entropy.scheduling.oversight")

# The sandbox ends a slow agent; these two are the nets below it.
task_soft_time_limit = _execute + 120
task_time_limit = _execute + 180
worker_soft_shutdown_timeout = 10
worker_hijack_root_logger = False
worker_send_task_events = True
task_send_sent_event = True

# No expiry on the messages: that would compare beat's clock with a worker's. `tick` itself drops what comes too soon.
beat_schedule = {
    "discover": {"task": "entropy.scheduling.tick", "schedule": _settings.scheduling.interval},
    "oversee": {"task": "entropy.scheduling.oversee", "schedule": _settings.trust.watch},
}
# Beat's memory of the last tick is worthless to us: discovery may run at any time, as often as it likes. (A file name
# of /dev/null would not do: the default scheduler removes a schedule that it cannot read.)
beat_scheduler = "celery.beat:Scheduler"
timezone = "UTC"
