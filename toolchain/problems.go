package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// problem is one thing that is wrong with the sources, and where.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
	Excerpt string `json:"excerpt,omitempty"`
}

// texts knows the lines of every source, for excerpts.
type texts map[string][]string

func (t texts) add(path, text string) {
	t[path] = strings.Split(text, "\n")
}

func (t texts) line(path string, row int) string {
	lines := t[path]
	if row < 1 || row > len(lines) {
		return ""
	}
	return strings.TrimSuffix(lines[row-1], "\r")
}

func (t texts) at(code, message string, location *ast.Location) problem {
	p := problem{Code: code, Message: message}
	if location != nil && location.Row > 0 {
		p.File, p.Row, p.Col = location.File, location.Row, location.Col
		p.Excerpt = t.line(location.File, location.Row)
	}
	return p
}

// of turns whatever OPA answers into problems, in order of place, each once.
func (t texts) of(err error) []problem {
	var found []problem
	t.collect(err, &found)
	slices.SortStableFunc(found, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(found)
}

func (t texts) collect(err error, found *[]problem) {
	var many ast.Errors
	var one *ast.Error
	var runtime *topdown.Error
	var unformatted format.UnformattedError
	switch {
	case errors.As(err, &many):
		for _, e := range many {
			t.collect(e, found)
		}
	case errors.As(err, &one):
		*found = append(*found, t.at(one.Code, messageOf(one), one.Location))
	case errors.As(err, &runtime):
		*found = append(*found, t.at(runtime.Code, runtime.Message, runtime.Location))
	case errors.As(err, &unformatted):
		*found = append(*found, problem{Code: ast.FormatErr, Message: unformatted.Error()})
	default:
		*found = append(*found, problem{Code: ast.CompileErr, Message: err.Error()})
	}
}

// The details of a parse error repeat the line, which is the excerpt here; those of a type error say what was wanted.
func messageOf(e *ast.Error) string {
	if e.Details == nil || e.Code == ast.ParseErr {
		return e.Message
	}
	lines := slices.DeleteFunc(e.Details.Lines(), func(line string) bool { return strings.TrimSpace(line) == "" })
	return strings.Join(append([]string{e.Message}, lines...), "\n")
}
