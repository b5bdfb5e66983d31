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
    UNIQUE (owner_id, name)
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

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    event TEXT NOT NULL,
    label TEXT,
    assignee_id INTEGER REFERENCES users (id),
    commit_sha TEXT,
    created TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_issue ON events (issue_id);

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
