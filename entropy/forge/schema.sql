-- The embedded forge's record. Times are UTC, as GitHub writes them; the journal's are seconds since the epoch.

CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT,
    kind TEXT NOT NULL DEFAULT 'User' CHECK (kind IN ('User', 'Organization')),
    created TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS tokens (
    hash TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    created TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT,
    default_branch TEXT NOT NULL,
    private INTEGER NOT NULL DEFAULT 0,
    directory TEXT NOT NULL UNIQUE,
    last_number INTEGER NOT NULL DEFAULT 0,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    deleted TEXT,
    version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner_id, name)
);

-- Names that repositories had before they were renamed or transferred.
CREATE TABLE IF NOT EXISTS former_names (
    owner TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    PRIMARY KEY (owner, name)
);

CREATE TABLE IF NOT EXISTS collaborators (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    permission TEXT NOT NULL CHECK (permission IN ('read', 'triage', 'write', 'maintain', 'admin')),
    PRIMARY KEY (repository_id, user_id)
);

CREATE TABLE IF NOT EXISTS issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    number INTEGER NOT NULL,
    is_pull INTEGER NOT NULL DEFAULT 0,
    title TEXT NOT NULL,
    body TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    state_reason TEXT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    closed TEXT,
    closed_by INTEGER REFERENCES users (id),
    UNIQUE (repository_id, number)
);

-- An open pull request's head follows its branch; `pending` is a merge commit whose ref update may or may not have happened.
CREATE TABLE IF NOT EXISTS pulls (
    issue_id INTEGER PRIMARY KEY REFERENCES issues (id),
    head_ref TEXT NOT NULL,
    base_ref TEXT NOT NULL,
    head_sha TEXT NOT NULL,
    base_sha TEXT NOT NULL,
    draft INTEGER NOT NULL DEFAULT 0,
    pending TEXT,
    pending_by INTEGER REFERENCES users (id),
    merged TEXT,
    merged_by INTEGER REFERENCES users (id),
    merge_sha TEXT
);

CREATE VIEW IF NOT EXISTS items AS
SELECT issues.*, pulls.head_ref, pulls.base_ref, pulls.head_sha, pulls.base_sha, pulls.draft, pulls.pending,
       pulls.pending_by, pulls.merged, pulls.merged_by, pulls.merge_sha
FROM issues LEFT JOIN pulls ON pulls.issue_id = issues.id;

-- "Closes #n" in a pull request's body.
CREATE TABLE IF NOT EXISTS links (
    pull_id INTEGER NOT NULL REFERENCES issues (id),
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    PRIMARY KEY (pull_id, issue_id)
);

CREATE TABLE IF NOT EXISTS assignees (
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (issue_id, user_id)
);

CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    name TEXT NOT NULL COLLATE NOCASE,
    color TEXT NOT NULL DEFAULT 'ededed',
    description TEXT,
    UNIQUE (repository_id, name)
);

CREATE TABLE IF NOT EXISTS issue_labels (
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    label_id INTEGER NOT NULL REFERENCES labels (id),
    PRIMARY KEY (issue_id, label_id)
);

CREATE TABLE IF NOT EXISTS comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    body TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS comments_of_issue ON comments (issue_id);

CREATE TABLE IF NOT EXISTS reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING')),
    commit_sha TEXT NOT NULL,
    submitted TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS reviews_of_issue ON reviews (issue_id);

CREATE TABLE IF NOT EXISTS review_comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    review_id INTEGER NOT NULL REFERENCES reviews (id),
    reply_to INTEGER REFERENCES review_comments (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    body TEXT NOT NULL,
    path TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('LEFT', 'RIGHT')),
    line INTEGER NOT NULL,
    start_side TEXT,
    start_line INTEGER,
    position INTEGER NOT NULL,
    hunk TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS review_comments_of_review ON review_comments (review_id);

CREATE TABLE IF NOT EXISTS statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    sha TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('error', 'failure', 'pending', 'success')),
    context TEXT NOT NULL,
    description TEXT,
    target_url TEXT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    created TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS statuses_of_commit ON statuses (repository_id, sha);

CREATE TABLE IF NOT EXISTS check_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    sha TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    conclusion TEXT,
    external_id TEXT,
    details_url TEXT,
    title TEXT,
    summary TEXT,
    text TEXT,
    started TEXT,
    completed TEXT,
    user_id INTEGER NOT NULL REFERENCES users (id)
);
CREATE INDEX IF NOT EXISTS check_runs_of_commit ON check_runs (repository_id, sha);

-- What the jobs of the app github-actions printed; NULL for a log that was kept too long and is gone.
CREATE TABLE IF NOT EXISTS job_logs (
    run_id INTEGER PRIMARY KEY REFERENCES check_runs (id) ON DELETE CASCADE,
    content BLOB
);

-- What happened, once: the events and the timeline of an item and the webhooks are made of this. `event` and `action`
-- are those of GitHub's webhooks, `subject_id` is the comment, review or check run, `detail` is JSON.
CREATE TABLE IF NOT EXISTS activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    issue_id INTEGER REFERENCES issues (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    event TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_id INTEGER,
    detail TEXT NOT NULL DEFAULT '{}',
    created TEXT NOT NULL,
    told INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS activity_of_issue ON activity (issue_id);
CREATE INDEX IF NOT EXISTS activity_of_repository ON activity (repository_id);
CREATE INDEX IF NOT EXISTS activity_untold ON activity (id) WHERE NOT told;

-- Every write request, refused or not, in the order in which they were answered.
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    login TEXT,
    status INTEGER NOT NULL,
    body TEXT
);

-- GitHub Apps. Only the public half of an app's key is here; whoever adds the app keeps the other.
CREATE TABLE IF NOT EXISTS apps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    bot_id INTEGER NOT NULL REFERENCES users (id),
    public_key TEXT NOT NULL,
    events TEXT NOT NULL DEFAULT '[]',
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);

-- `permissions` is a JSON object; with `everything` the app reaches all repositories of the account.
CREATE TABLE IF NOT EXISTS installations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    account_id INTEGER NOT NULL REFERENCES users (id),
    everything INTEGER NOT NULL,
    permissions TEXT NOT NULL,
    suspended TEXT,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    UNIQUE (app_id, account_id)
);

CREATE TABLE IF NOT EXISTS installation_repositories (
    installation_id INTEGER NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    PRIMARY KEY (installation_id, repository_id)
);

-- `repositories` is a JSON list of ids, or null for all that the installation reaches; `expires` is seconds since the epoch.
CREATE TABLE IF NOT EXISTS installation_tokens (
    hash TEXT PRIMARY KEY,
    installation_id INTEGER NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    permissions TEXT NOT NULL,
    repositories TEXT,
    expires REAL NOT NULL
);

-- Conversations: only those with permission may comment on a locked item.
CREATE TABLE IF NOT EXISTS locks (
    issue_id INTEGER PRIMARY KEY REFERENCES issues (id) ON DELETE CASCADE,
    reason TEXT,
    created TEXT NOT NULL
);

-- `kind` is issue, comment or review_comment.
CREATE TABLE IF NOT EXISTS reactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    content TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (kind, subject_id, user_id, content)
);

-- A thread of review comments is named by its first.
CREATE TABLE IF NOT EXISTS resolutions (
    comment_id INTEGER PRIMARY KEY REFERENCES review_comments (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id)
);

CREATE TABLE IF NOT EXISTS review_requests (
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (issue_id, user_id)
);

-- The check runs of one author for one commit.
CREATE TABLE IF NOT EXISTS check_suites (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    sha TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    UNIQUE (repository_id, sha, user_id)
);

CREATE TABLE IF NOT EXISTS annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES check_runs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    start_column INTEGER,
    end_column INTEGER,
    level TEXT NOT NULL CHECK (level IN ('notice', 'warning', 'failure')),
    title TEXT,
    message TEXT NOT NULL,
    raw_details TEXT
);
CREATE INDEX IF NOT EXISTS annotations_of_run ON annotations (run_id);

-- Who is told what happens: for a repository, or for an App wherever it is installed.
CREATE TABLE IF NOT EXISTS hooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    app_id INTEGER UNIQUE,
    active INTEGER NOT NULL DEFAULT 1,
    events TEXT NOT NULL,
    url TEXT NOT NULL,
    content_type TEXT NOT NULL DEFAULT 'json',
    secret TEXT,
    insecure_ssl TEXT NOT NULL DEFAULT '0',
    origin TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS hooks_of_repository ON hooks (repository_id);

-- The outbox: a delivery is written with what it tells about, and sent afterwards. `status_code` is NULL until then.
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hook_id INTEGER NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    guid TEXT NOT NULL,
    redelivery INTEGER NOT NULL DEFAULT 0,
    event TEXT NOT NULL,
    action TEXT,
    repository_id INTEGER,
    installation_id INTEGER,
    payload TEXT NOT NULL,
    created TEXT NOT NULL,
    delivered TEXT,
    duration REAL NOT NULL DEFAULT 0,
    status TEXT,
    status_code INTEGER,
    request_headers TEXT,
    response_headers TEXT,
    response TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_of_hook ON deliveries (hook_id);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (id) WHERE status_code IS NULL;

-- `rules` is JSON, as it was put.
CREATE TABLE IF NOT EXISTS protections (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    branch TEXT NOT NULL,
    rules TEXT NOT NULL,
    PRIMARY KEY (repository_id, branch)
);

-- Branches whose pull requests are merged by a queue.
CREATE TABLE IF NOT EXISTS merge_queues (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    branch TEXT NOT NULL,
    method TEXT NOT NULL,
    PRIMARY KEY (repository_id, branch)
);

CREATE TABLE IF NOT EXISTS queued_pulls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id INTEGER NOT NULL UNIQUE REFERENCES issues (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    head_sha TEXT NOT NULL,
    created TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS sub_issues (
    child_id INTEGER PRIMARY KEY REFERENCES issues (id) ON DELETE CASCADE,
    parent_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    position REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sub_issues_of_parent ON sub_issues (parent_id);

CREATE TABLE IF NOT EXISTS dependencies (
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    blocker_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    PRIMARY KEY (issue_id, blocker_id)
);
CREATE INDEX IF NOT EXISTS dependencies_on_blocker ON dependencies (blocker_id);

-- Where branches and tags were when the forge last looked, so that every move of one is told, whoever made it.
CREATE TABLE IF NOT EXISTS tips (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    ref TEXT NOT NULL,
    sha TEXT NOT NULL,
    PRIMARY KEY (repository_id, ref)
);

-- Commits that were made through the API, which signs them.
CREATE TABLE IF NOT EXISTS signed_commits (
    sha TEXT PRIMARY KEY
);
