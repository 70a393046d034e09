package main

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// failureTracer watches the body of one test rule and keeps the expression that got furthest before it failed.
type failureTracer struct {
	rule    *ast.Location
	queries map[uint64]struct{}
	last    *ast.Expr
}

func (*failureTracer) Enabled() bool { return true }

func (*failureTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (t *failureTracer) TraceEvent(event topdown.Event) {
	switch node := event.Node.(type) {
	case *ast.Rule:
		if event.Op == topdown.EnterOp && node.Loc().Equal(t.rule) {
			if t.queries == nil {
				t.queries = map[uint64]struct{}{}
			}
			t.queries[event.QueryID] = struct{}{}
		}
	case *ast.Expr:
		if _, inside := t.queries[event.QueryID]; !inside || event.Op != topdown.FailOp || node.Location == nil {
			return
		}
		if t.last == nil || node.Index >= t.last.Index {
			t.last = node
		}
	}
}
