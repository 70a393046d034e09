#!/bin/sh
# Asks Verdict whether a subject may do something, with curl.
#   sh ask.sh bob approve ann
set -eu
[ $# -eq 3 ] || { echo 'usage: sh ask.sh SUBJECT ACTION EMPLOYEE' >&2; exit 2; }
server=${VERDICT_URL:-http://127.0.0.1:8181}
question='{"subject": {"type": "user", "id": "'$1'"}, "action": {"name": "'$2'"},
  "resource": {"type": "leave", "id": "17", "properties": {"employee": "'$3'"}}}'
# --fail: an error is no answer. Whoever asks with shell variables must know that they hold no quotes.
answer=$(curl --silent --show-error --fail --max-time 1 "$server/leave/access/v1/evaluation" \
  --header 'Content-Type: application/json' --data "$question") || answer=''
case $answer in
  '{"decision":true'*) echo yes ;;
  *) echo no && exit 1 ;;
esac
