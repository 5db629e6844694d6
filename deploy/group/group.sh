#!/usr/bin/env bash
# Forms a group of MySQL servers that have the settings in group.cnf, and adds what is missing to one that exists.
#
#   group.sh join     wait for the servers, then join those that are not in the group; safe to run at any time
#   group.sh status   the members of the group, as each server sees them
#   group.sh switch HOST   make a member the primary
#   group.sh force HOST    after the loss of the majority, continue with this member alone
#
# Environment: MEMBERS, the hosts separated by blanks; MYSQL_PWD, the password of root; REPLICATION_PASSWORD, for a user of the
# servers themselves; LOCAL=true accepts a published one; and, for the database of a new group, DB_PASSWORD, DB_CUSTOMERS_PASSWORD and DB_ORDERS_PASSWORD.
#
# If no group runs, join starts one from the server that has every transaction of all others. This needs an answer of all servers,
# because one that is missing may have more. It never removes transactions of a server that has been in a group.
set -euo pipefail
read -ra members <<<"$MEMBERS"
members_table=performance_schema.replication_group_members

sql() { mysql -h "$1" -u root -N -B -e "$2"; }
quoted() { printf "'%s'" "${1//\'/\'\'}"; }
state() { sql "$1" "SELECT member_state FROM $members_table WHERE member_id = @@server_uuid"; }
answers() { timeout 3 mysql -h "$1" -u root -e 'SELECT 1' >/dev/null 2>&1; } # the name of a server that is down may not resolve
say() { echo "group: $*"; }

# A new server has transactions of its own, from its first start. They must not get into the group.
prepare() {
  if [ "$(sql "$1" "SELECT COUNT(*) FROM mysql.user WHERE user = 'replication'")" = 0 ]; then
    say "prepare $1"
    sql "$1" "SET SQL_LOG_BIN = 0;
      CREATE USER replication@'%' IDENTIFIED BY $(quoted "$REPLICATION_PASSWORD");
      GRANT REPLICATION SLAVE, BACKUP_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO replication@'%';
      SET SQL_LOG_BIN = 1;
      RESET BINARY LOGS AND GTIDS"
  fi
  sql "$1" "STOP GROUP_REPLICATION; CHANGE REPLICATION SOURCE TO SOURCE_USER = 'replication',
    SOURCE_PASSWORD = $(quoted "$REPLICATION_PASSWORD") FOR CHANNEL 'group_replication_recovery';
    SET PERSIST group_replication_start_on_boot = ON" # also after the restart that ends a clone
}

# The transactions that a server has executed, or received from the group.
transactions() {
  sql "$1" "SELECT REPLACE(CONCAT_WS(',', NULLIF(@@GLOBAL.gtid_executed, ''), (SELECT NULLIF(received_transaction_set, '')
    FROM performance_schema.replication_connection_status WHERE channel_name = 'group_replication_applier')), '\n', '')"
}

# The first server that has all transactions of all servers.
newest() {
  local one other all
  for one in "${members[@]}"; do
    all=yes
    for other in "${members[@]}"; do
      [ "$(sql "$one" "SELECT GTID_SUBSET('$(transactions "$other")', '$(transactions "$one")')")" = 1 ] || all=no
    done
    if [ $all = yes ]; then
      echo "$one"
      return
    fi
  done
  say 'no server has the transactions of all others: see docs/group.md' >&2
  return 1
}

primary() {
  local one
  for one in "${members[@]}"; do
    answers "$one" && sql "$one" "SELECT member_host FROM $members_table WHERE member_role = 'PRIMARY' AND member_state = 'ONLINE' AND EXISTS
      (SELECT 1 FROM $members_table WHERE member_id = @@server_uuid AND member_state = 'ONLINE')" 2>/dev/null | grep . && return
  done
  return 1
}

begin() {
  local first
  for one in "${members[@]}"; do prepare "$one"; done
  first=$(newest)
  say "start the group at $first"
  sql "$first" 'SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION; SET GLOBAL group_replication_bootstrap_group = OFF'
}

# The database and its users, which the group replicates. The services' users see the state of the group, to find the primary.
create() {
  sql "$1" "CREATE DATABASE IF NOT EXISTS b2b_db;
    CREATE USER IF NOT EXISTS b2b_user IDENTIFIED BY $(quoted "$DB_PASSWORD");
    CREATE USER IF NOT EXISTS customers_user IDENTIFIED BY $(quoted "$DB_CUSTOMERS_PASSWORD");
    CREATE USER IF NOT EXISTS orders_user IDENTIFIED BY $(quoted "$DB_ORDERS_PASSWORD");
    GRANT ALL ON \`b2b\\_db\`.* TO b2b_user WITH GRANT OPTION;
    GRANT SELECT ON $members_table TO b2b_user, customers_user, orders_user;
    GRANT SELECT ON performance_schema.replication_group_member_stats TO b2b_user, customers_user, orders_user"
}

join() {
  local one first tries
  if [ "${LOCAL:-}" != true ] && [ "$REPLICATION_PASSWORD" = replication_pass ]; then
    say 'REPLICATION_PASSWORD is published with the source: generate another, or set LOCAL=true on a machine that nobody else can reach'
    exit 1
  fi
  for one in "${members[@]}"; do
    for tries in $(seq 60); do answers "$one" && break; sleep 1; done
    answers "$one" || say "$one does not answer"
  done
  if ! first=$(primary); then
    for one in "${members[@]}"; do
      answers "$one" || { say "no group runs, and $one, which does not answer, may have transactions that the others lack"; exit 1; }
    done
    begin
    first=$(primary)
  fi
  for one in "${members[@]}"; do
    answers "$one" || continue
    case $(state "$one") in
    ONLINE | RECOVERING) ;;
    *)
      say "join $one"
      prepare "$one"
      sql "$one" 'START GROUP_REPLICATION'
      ;;
    esac
  done
  create "$first"
  for tries in $(seq 240); do
    [ "$(sql "$first" "SELECT COUNT(*) FROM $members_table WHERE member_state = 'RECOVERING'")" = 0 ] && break
    sleep 0.5
  done
  status
}

status() {
  local one
  for one in "${members[@]}"; do
    echo "$one sees:"
    if answers "$one"; then
      sql "$one" "SELECT member_host, member_state, member_role, member_version FROM $members_table ORDER BY 1"
    fi
  done
}

switch() {
  local from uuid
  from=$(primary)
  uuid=$(sql "$1" 'SELECT @@server_uuid')
  sql "$from" "SELECT group_replication_set_as_primary('$uuid')"
}

# Only this server is left of the group. The others must be down for good, or come back as new members: two groups would diverge.
force() {
  local one
  for one in "${members[@]}"; do
    [ "$one" = "$1" ] && continue
    if answers "$one" && [ "$(state "$one")" = ONLINE ]; then
      say "$one is an online member: stop it first"
      exit 1
    fi
  done
  for one in $(seq 60); do # MySQL notices the loss after 5 s, and refuses before
    [ "$(sql "$1" "SELECT 2 * SUM(member_state = 'UNREACHABLE') >= COUNT(*) FROM $members_table")" = 1 ] && break
    sleep 0.5
  done
  say "$1 has noticed the loss, after $SECONDS s"
  sql "$1" "SET GLOBAL group_replication_force_members = '$(sql "$1" 'SELECT @@GLOBAL.group_replication_local_address')'"
  say "$1 is the only member, after $SECONDS s"
  for one in $(seq 60); do # fails while the services set options of their sessions
    sql "$1" "SET GLOBAL group_replication_force_members = ''" 2>/dev/null && [ "$(primary)" ] && break
    sleep 0.5
  done
  status
}

case "${1:-}" in
join | status | switch | force) "$@" ;;
*)
  sed -n '2,9p' "$0" >&2
  exit 2
  ;;
esac
