"""One module per checklist item, `checks/<category>/<item>.py`: small pure functions from evidence to a judgement."""
