#!/usr/bin/env bash
# Writes the comment on the pull request, or brings the one that is there up to date: there is never more than one.
set -euo pipefail

mark="$(head -n 1 "$COMMENT")"
comments="repos/$REPOSITORY/issues/$NUMBER/comments"
old="$(gh api --paginate "$comments" --jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$mark\"))) | .id" | head -n 1)"
if [ -n "$old" ]; then
  gh api --method PATCH "repos/$REPOSITORY/issues/comments/$old" -F "body=@$COMMENT" --silent
else
  gh api --method POST "$comments" -F "body=@$COMMENT" --silent
fi
