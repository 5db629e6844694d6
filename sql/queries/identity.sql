-- name: InsertUser :execlastid
INSERT INTO users (username, username_key, name, role, state, password_hash, setup_hash, setup_expires_at, version, created_at, updated_at)
VALUES (?, ?, ?, ?, 'active', ?, ?, ?, 1, ?, ?);

-- name: GetUser :one
SELECT *
FROM users
WHERE id = ?;

-- name: GetUserByName :one
SELECT *
FROM users
WHERE username_key = ?;

-- name: LockUser :one
SELECT *
FROM users
WHERE id = ?
FOR UPDATE;

-- name: GetUserBySetup :one
SELECT *
FROM users
WHERE setup_hash = ?;

-- name: LockUserBySetup :one
SELECT *
FROM users
WHERE setup_hash = ?
FOR UPDATE;

-- LockActiveAdmins locks the users who keep the system administrable, in order of ids.

-- name: LockActiveAdmins :many
SELECT id
FROM users
WHERE role = 'admin' AND state = 'active'
ORDER BY id
FOR UPDATE;

-- name: CountUsersWithRole :one
SELECT COUNT(*)
FROM users
WHERE role = ? AND state = 'active';

-- name: ListUsers :many
SELECT *
FROM users
WHERE id > sqlc.arg(after_id)
ORDER BY id
LIMIT ?;

-- name: UpdateUser :exec
UPDATE users
SET name = ?, role = ?, state = ?, version = version + 1, updated_at = ?
WHERE id = ?;

-- name: SetSetup :exec
UPDATE users
SET setup_hash = ?, setup_expires_at = ?, version = version + 1, updated_at = ?
WHERE id = ?;

-- SetPassword also ends the setup token.

-- name: SetPassword :exec
UPDATE users
SET password_hash = ?, setup_hash = NULL, setup_expires_at = NULL, version = version + 1, updated_at = ?
WHERE id = ?;

-- RehashPassword replaces the hash of an unchanged password.

-- name: RehashPassword :exec
UPDATE users
SET password_hash = sqlc.arg(new_hash)
WHERE id = sqlc.arg(id) AND password_hash = sqlc.arg(old_hash);

-- name: RecordLogin :exec
UPDATE users
SET last_login_at = ?
WHERE id = ?;

-- name: InsertSession :execlastid
INSERT INTO user_sessions (user_id, hash, address, user_agent, created_at, used_at, expires_at, ends_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- GetSession returns a session that has not ended and its user, if the user is active.

-- name: GetSession :one
SELECT s.id, s.user_id, s.used_at, s.expires_at, u.username, u.name, u.role
FROM user_sessions s
JOIN users u ON u.id = s.user_id
WHERE s.hash = sqlc.arg(hash) AND s.ends_at > sqlc.arg(now) AND u.state = 'active';

-- name: ListSessions :many
SELECT *
FROM user_sessions
WHERE user_id = sqlc.arg(user_id) AND id > sqlc.arg(after_id) AND ends_at > sqlc.arg(now)
ORDER BY id
LIMIT ?;

-- name: TouchSession :exec
UPDATE user_sessions
SET used_at = ?, ends_at = ?
WHERE id = ?;

-- name: DeleteSession :execrows
DELETE FROM user_sessions
WHERE id = ? AND user_id = ?;

-- name: DeleteOtherSessions :execrows
DELETE FROM user_sessions
WHERE user_id = sqlc.arg(user_id) AND id <> sqlc.arg(kept_id);

-- EndedSessions returns sessions that have ended. It skips locked ones, except on TiDB, where SKIP LOCKED has no effect.

-- name: EndedSessions :many
SELECT id
FROM user_sessions
WHERE ends_at <= sqlc.arg(now)
ORDER BY ends_at
LIMIT ?
FOR UPDATE SKIP LOCKED;

-- name: DeleteEndedSessions :execrows
DELETE FROM user_sessions
WHERE id IN (sqlc.slice(ids)) AND ends_at <= sqlc.arg(now);

-- name: InsertIntegrator :execlastid
INSERT INTO integrators (name, name_key, role, state, version, created_at, updated_at)
VALUES (?, ?, ?, 'active', 1, ?, ?);

-- name: GetIntegrator :one
SELECT *
FROM integrators
WHERE id = ?;

-- name: LockIntegrator :one
SELECT *
FROM integrators
WHERE id = ?
FOR UPDATE;

-- name: ListIntegrators :many
SELECT *
FROM integrators
WHERE id > sqlc.arg(after_id)
ORDER BY id
LIMIT ?;

-- name: UpdateIntegrator :exec
UPDATE integrators
SET name = ?, name_key = ?, role = ?, state = ?, version = version + 1, updated_at = ?
WHERE id = ?;

-- name: InsertKey :execlastid
INSERT INTO api_keys (integrator_id, name, hash, created_by, created_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?);

-- name: GetKey :one
SELECT *
FROM api_keys
WHERE id = ? AND integrator_id = ?;

-- GetUsableKey returns a key that is neither revoked nor expired, with its integrator, if that is active.

-- name: GetUsableKey :one
SELECT k.id, k.hash, k.integrator_id, k.expires_at, k.last_used_at, i.name AS integrator_name, i.role
FROM api_keys k
JOIN integrators i ON i.id = k.integrator_id
WHERE k.id = sqlc.arg(id) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > sqlc.arg(now)) AND i.state = 'active';

-- name: ListKeys :many
SELECT *
FROM api_keys
WHERE integrator_id = sqlc.arg(integrator_id) AND id > sqlc.arg(after_id)
ORDER BY id
LIMIT ?;

-- name: RevokeKey :execrows
UPDATE api_keys
SET revoked_at = sqlc.arg(revoked_at)
WHERE id = sqlc.arg(id) AND integrator_id = sqlc.arg(integrator_id) AND revoked_at IS NULL;

-- name: RecordKeyUse :exec
UPDATE api_keys
SET last_used_at = sqlc.arg(used_at)
WHERE id = sqlc.arg(id) AND (last_used_at IS NULL OR last_used_at < sqlc.arg(used_at));

-- name: InsertSigningKey :exec
INSERT INTO signing_keys (generation, kid, created_at, signs_from)
VALUES (?, ?, ?, ?);

-- name: ListSigningKeys :many
SELECT *
FROM signing_keys
ORDER BY generation;

-- name: ExpireSigningKeys :exec
UPDATE signing_keys
SET expires_at = sqlc.arg(expires_at)
WHERE generation < sqlc.arg(generation) AND (expires_at IS NULL OR expires_at > sqlc.arg(expires_at));

-- name: DeleteExpiredSigningKeys :execrows
DELETE FROM signing_keys
WHERE expires_at <= ?;

-- name: InsertAudit :exec
INSERT INTO audit_log (actor, actor_name, action, target, changes, address, correlation_id, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- ListAudit and the queries after it are one list with different filters, newest first: the entries at or after created_from and before
-- the position (before_time, before_id). The hint names the index that returns the rows in order; to SQLite, it is a comment.

-- name: ListAudit :many
SELECT /*+ INDEX(audit_log audit_log_created) */ *
FROM audit_log
WHERE created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListAuditByActor :many
SELECT /*+ INDEX(audit_log audit_log_actor) */ *
FROM audit_log
WHERE actor = sqlc.arg(actor)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListAuditByAction :many
SELECT /*+ INDEX(audit_log audit_log_action) */ *
FROM audit_log
WHERE action = sqlc.arg(action)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListAuditByActorAndAction :many
SELECT /*+ INDEX(audit_log audit_log_actor) */ *
FROM audit_log
WHERE actor = sqlc.arg(actor) AND action = sqlc.arg(action)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
ORDER BY created_at DESC, id DESC
LIMIT ?;
