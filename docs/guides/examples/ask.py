"""Asks Verdict whether a subject may do something. Python 3.9 or newer, nothing to install.

python3 ask.py bob approve ann
"""

import http.client
import json
import os
import sys
import urllib.request

SERVER = os.environ.get("VERDICT_URL", "http://127.0.0.1:8181")


def may_i(question: dict) -> tuple[bool, list[str]]:
    """The decision and its reasons; anything but a clear yes is a no, an answer that does not come included."""
    request = urllib.request.Request(
        f"{SERVER}/leave/access/v1/evaluation",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=1) as response:
            answer = json.load(response)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, [f"no decision: {error}"]
    return answer.get("decision") is True, answer.get("context", {}).get("reasons", [])


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python3 ask.py SUBJECT ACTION EMPLOYEE")
    subject, action, employee = sys.argv[1:]
    allowed, reasons = may_i(
        {
            "subject": {"type": "user", "id": subject},
            "action": {"name": action},
            "resource": {"type": "leave", "id": "17", "properties": {"employee": employee}},
        }
    )
    print("yes" if allowed else "no", "; ".join(reasons))
