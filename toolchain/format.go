package main

import (
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// formatFile writes one file as `opa fmt` does, in the version of Rego that it is written in.
func formatFile(q *query) reply {
	if len(q.Modules) != 1 {
		return reply{Problems: texts{}.of(errors.New("one file at a time is formatted"))}
	}
	file := q.Modules[0]
	version := versionOf(file.Version)
	text, err := format.SourceWithOpts(file.Path, []byte(file.Text), format.Opts{
		RegoVersion:   version,
		ParserOptions: &ast.ParserOptions{RegoVersion: version},
	})
	if err != nil {
		lines := texts{}
		lines.add(file.Path, file.Text)
		return reply{Problems: lines.of(err)}
	}
	return reply{Result: string(text)}
}
